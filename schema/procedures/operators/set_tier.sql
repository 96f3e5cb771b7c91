-- Gives a wallet another tier, and with it other limits. What it has already is not touched.
CREATE PROCEDURE set_tier(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16),
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_before VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_command(p_actor_id, p_key, p_request_hash, p_action_id, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL lock_whole_wallet(p_wallet_id, v_status, v_before);
        SET v_outcome = CASE
            WHEN v_status IS NULL THEN 'not_found'
            WHEN NOT EXISTS (SELECT 1 FROM tiers WHERE code = p_tier) THEN 'invalid_request'
            ELSE 'done' END;
        IF v_outcome = 'done' THEN
            UPDATE wallets SET tier = p_tier WHERE id = p_wallet_id;
            IF p_tier <> v_before THEN
                CALL note_event(p_wallet_id, NULL, 'TierChanged', JSON_OBJECT('tier', p_tier), UTC_TIMESTAMP(6));
            END IF;
            SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status, 'tier', p_tier,
                                       'tier_before', v_before);
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'set_tier',
                     p_wallet_id, NULL);
END
