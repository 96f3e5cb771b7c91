-- Freezes a wallet: it neither pays nor is paid, and still takes its owner's own top-ups and refunds of its payments. Its
-- owner's sessions end: they may sign in again and look, and so a thief's tokens are worth nothing.
-- Frozen again it stays frozen; one that is being closed stays that, which is as frozen.
CREATE PROCEDURE freeze_wallet(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_user_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_is_news BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_command(p_actor_id, p_key, p_request_hash, p_action_id, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
        SET v_outcome = IF(v_status IS NULL, 'not_found', 'done');
        DELETE FROM own_freezes WHERE wallet_id = p_wallet_id; -- what an operator freezes no proof undoes
        SET v_is_news = ROW_COUNT() > 0;
        IF v_status = 'active' THEN
            SET v_status = 'frozen';
            UPDATE wallets SET status = v_status WHERE id = p_wallet_id;
            SET v_is_news = TRUE;
        END IF;
        IF v_is_news THEN
            -- that of a thief, too, who froze the wallet and was spared then
            SELECT user_id INTO v_user_id FROM wallets WHERE id = p_wallet_id;
            CALL end_sessions(v_user_id, NULL, NULL, UTC_TIMESTAMP(6));
            CALL note_event(
                p_wallet_id, NULL, 'WalletFrozen', JSON_OBJECT('reason', 'operator'), UTC_TIMESTAMP(6));
        END IF;
        SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'freeze', p_wallet_id,
                     NULL);
END
