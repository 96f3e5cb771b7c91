-- Approves who registered as a merchant, and gives them a name if one is told. Approved again they stay it, and take
-- another name. `invalid_request` if they registered as a person.
CREATE PROCEDURE approve_merchant(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16),
    IN p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_user_id BINARY(16) DEFAULT NULL;
    DECLARE v_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_command(p_actor_id, p_key, p_request_hash, p_action_id, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL lock_owner(p_wallet_id, v_user_id, v_kind, v_name, v_phone);
        SET v_outcome = CASE
            WHEN v_user_id IS NULL THEN 'not_found'
            WHEN v_kind <> 'merchant' THEN 'invalid_request'
            ELSE 'done' END;
        IF v_outcome = 'done' THEN
            INSERT INTO merchant_approvals (user_id, registered_name, approved_at)
            VALUES (v_user_id, v_name, UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE approved_at = approved_at;
            UPDATE users SET name = COALESCE(p_name, v_name) WHERE id = v_user_id;
            SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'name', COALESCE(p_name, v_name),
                                       'name_before', v_name);
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'approve_merchant',
                     p_wallet_id, NULL);
END
