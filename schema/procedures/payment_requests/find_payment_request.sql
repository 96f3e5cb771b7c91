-- A request: the maker's own, or one that whoever asks was given the id of. Whose it is else is not told.
CREATE PROCEDURE find_payment_request(IN p_actor_id BINARY(16), IN p_payment_request_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT id, wallet_id, amount, currency, description, created_at, expires_at, name, kind, status,
           user_id = p_actor_id AS is_own
    FROM payment_request_states WHERE id = p_payment_request_id AND (is_known OR user_id = p_actor_id);
    COMMIT AND NO CHAIN NO RELEASE;
END
