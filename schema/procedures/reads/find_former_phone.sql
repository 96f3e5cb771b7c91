-- The phone that an account had last before a time.
CREATE PROCEDURE find_former_phone(IN p_user_id BINARY(16), IN p_before DATETIME(6))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT phone FROM former_phones WHERE user_id = p_user_id AND ended_at < p_before ORDER BY ended_at DESC LIMIT 1;
    COMMIT AND NO CHAIN NO RELEASE;
END
