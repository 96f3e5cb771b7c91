-- Says that the phone of a wallet's owner is really theirs, or that this is not known (`p_proved` FALSE).
CREATE PROCEDURE set_phone_proved(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16),
    IN p_proved BOOLEAN
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
        SET v_outcome = IF(v_phone IS NULL, 'not_found', 'done');
        IF v_outcome = 'done' THEN
            DELETE FROM proved_phones WHERE user_id = v_user_id;
            IF p_proved THEN
                INSERT INTO proved_phones (user_id, phone, proved_at) VALUES (v_user_id, v_phone, UTC_TIMESTAMP(6));
            END IF;
            SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'proved', p_proved + 0);
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'set_phone_proved',
                     p_wallet_id, NULL);
END
