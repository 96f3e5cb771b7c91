-- The first rows behind a line of a file of the actor's, all or those in one status.
CREATE PROCEDURE list_bulk_rows(
    IN p_bulk_payment_id BINARY(16),
    IN p_actor_id BINARY(16),
    IN p_after INT UNSIGNED,
    IN p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_limit INT UNSIGNED
)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT r.line, r.payee_wallet_id, r.payee_phone, r.amount, r.description, r.reference,
           r.status, r.refusal, r.transaction_id, r.ended_at
    FROM bulk_payment_rows r JOIN bulk_payments b ON b.id = r.bulk_payment_id
    WHERE b.id = p_bulk_payment_id AND b.user_id = p_actor_id AND r.line > p_after
        AND (p_status IS NULL OR r.status = p_status)
    ORDER BY r.line LIMIT p_limit;
    COMMIT AND NO CHAIN NO RELEASE;
END
