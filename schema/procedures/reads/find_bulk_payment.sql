-- A file of the actor's: how many of its rows are in each status, and what they come to.
CREATE PROCEDURE find_bulk_payment(IN p_bulk_payment_id BINARY(16), IN p_actor_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT b.status AS bulk_status, b.row_count, b.total, b.currency, b.created_at, b.finished_at,
           r.status, COUNT(*) AS counted, SUM(r.amount) AS amount
    FROM bulk_payments b JOIN bulk_payment_rows r ON r.bulk_payment_id = b.id
    WHERE b.id = p_bulk_payment_id AND b.user_id = p_actor_id
    GROUP BY b.status, b.row_count, b.total, b.currency, b.created_at, b.finished_at, r.status;
    COMMIT AND NO CHAIN NO RELEASE;
END
