-- Ends a wallet's freeze, or calls its closing off: what is on its way to its source goes on, and withdrawals that were
-- paused are due at once.
CREATE PROCEDURE unfreeze_wallet(
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
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_command(p_actor_id, p_key, p_request_hash, p_action_id, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        -- before the wallet, as everybody locks them; by the index of their wallet, which never changes
        UPDATE withdrawals FORCE INDEX (withdrawals_wallet_exists)
        SET next_check_at = UTC_TIMESTAMP(6)
        WHERE wallet_id = p_wallet_id AND status = 'pending' AND provider_payout_id IS NULL;
        CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
        -- a wallet that was closed once may have lost its phone to somebody: its owner could not come in any more
        SET v_outcome = CASE
            WHEN v_status IS NULL THEN 'not_found'
            WHEN EXISTS (SELECT 1 FROM wallets w JOIN users u ON u.id = w.user_id
                         WHERE w.id = p_wallet_id AND u.phone IS NULL) THEN 'phone_taken'
            ELSE 'done' END;
        IF v_outcome = 'done' AND v_status <> 'active' THEN
            SET v_status = 'active';
            UPDATE wallets SET status = v_status WHERE id = p_wallet_id;
            DELETE FROM own_freezes WHERE wallet_id = p_wallet_id;
            CALL note_event(p_wallet_id, NULL, 'WalletUnfrozen', JSON_OBJECT(), UTC_TIMESTAMP(6));
        END IF;
        SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'unfreeze', p_wallet_id,
                     NULL);
END
