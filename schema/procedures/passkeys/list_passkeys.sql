-- Somebody's passkeys, the newest first.
CREATE PROCEDURE list_passkeys(IN p_user_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT id, credential_id, public_key, sign_count, name, created_at, usable_from, usable_from <= UTC_TIMESTAMP(6) AS is_usable,
           last_used_at
    FROM passkeys WHERE user_id = p_user_id ORDER BY created_at DESC;
    COMMIT AND NO CHAIN NO RELEASE;
END
