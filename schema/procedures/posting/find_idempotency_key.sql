-- Whether something was done under a key.
CREATE PROCEDURE find_idempotency_key(IN p_actor_id BINARY(16), IN p_key VARBINARY(64))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT created_at FROM idempotency_records WHERE actor_id = p_actor_id AND idem_key = p_key;
    COMMIT AND NO CHAIN NO RELEASE;
END
