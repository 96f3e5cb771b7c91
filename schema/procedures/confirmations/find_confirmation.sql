-- All that a confirmation is bound to, for a passkey to sign (`binding`). The same refusals as of a code.
CREATE PROCEDURE find_confirmation(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_confirmation_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_confirmation(p_user_id, p_generation, p_confirmation_id, UTC_TIMESTAMP(6), v_outcome, v_result);
    IF v_outcome IS NULL THEN
        SELECT JSON_OBJECT(
            'binding', CONCAT_WS(':', HEX(user_id), HEX(idem_key), HEX(request_hash), kind, COALESCE(HEX(payee_wallet_id), ''),
                                 COALESCE(vpa, ''), amount, currency))
        INTO v_result FROM confirmations WHERE id = p_confirmation_id;
        SET v_outcome = 'done';
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, v_result AS result;
END
