-- Ends a freeze whose time has come. Whoever freezes the wallet meanwhile holds its lock first.
CREATE PROCEDURE end_own_freeze(IN p_wallet_id BINARY(16))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- before the wallet, as everybody locks them; by the index of their wallet, which never changes
    UPDATE withdrawals FORCE INDEX (withdrawals_wallet_exists)
    SET next_check_at = UTC_TIMESTAMP(6)
    WHERE wallet_id = p_wallet_id AND status = 'pending' AND provider_payout_id IS NULL;
    CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
    DELETE FROM own_freezes WHERE wallet_id = p_wallet_id AND unfreeze_at <= UTC_TIMESTAMP(6);
    IF ROW_COUNT() > 0 AND v_status = 'frozen' THEN
        UPDATE wallets SET status = 'active' WHERE id = p_wallet_id;
        CALL note_event(p_wallet_id, NULL, 'WalletUnfrozen', JSON_OBJECT(), UTC_TIMESTAMP(6));
    END IF;
    COMMIT;
    SELECT 'done' AS outcome, NULL AS result;
END
