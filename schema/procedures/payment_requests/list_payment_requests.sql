-- One's own requests, as the other lists; no key is of a request.
CREATE PROCEDURE list_payment_requests(IN p_actor_id BINARY(16), IN p_before BINARY(16), IN p_limit INT UNSIGNED)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT id, wallet_id, amount, currency, description, created_at, expires_at, name, kind, status, TRUE AS is_own
    FROM payment_request_states
    WHERE user_id = p_actor_id AND (p_before IS NULL OR id < p_before)
    ORDER BY id DESC LIMIT p_limit;
    COMMIT AND NO CHAIN NO RELEASE;
END
