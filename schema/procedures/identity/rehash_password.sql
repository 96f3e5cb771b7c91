-- The same password under another cost, if it is still the one that was looked at. No session ends.
CREATE PROCEDURE rehash_password(
    IN p_user_id BINARY(16),
    IN p_password_hash VARBINARY(60),
    IN p_new_password_hash VARBINARY(60)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    UPDATE users SET password_hash = p_new_password_hash WHERE id = p_user_id AND password_hash = p_password_hash;
    SELECT 'done' AS outcome, NULL AS result;
END
