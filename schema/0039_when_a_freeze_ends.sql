-- A wallet tells when its freeze ends: whoever asked for that, its owner has until then to freeze it again, and hears of that.

-- Somebody's wallet as it stands (0034). `unfreeze_at`: when the freeze ends, if somebody has asked for its end; it may be past
-- by some minutes, until the clock comes by.
DROP PROCEDURE IF EXISTS find_wallet;
DELIMITER //
CREATE PROCEDURE find_wallet(IN p_user_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT w.id, u.kind, m.user_id IS NOT NULL AS approved, w.currency, w.status, w.slots, w.tier,
           IF(w.status = 'frozen', f.unfreeze_at, NULL) AS unfreeze_at,
           l.max_balance, l.max_top_up, l.max_payment, l.max_load_month, l.max_load_year, l.max_debit_day,
           l.max_debit_month, l.person_to_person, l.withdrawals,
           w.usage_day, w.debited_day, w.usage_month, w.debited_month, w.loaded_month, w.usage_year, w.loaded_year,
           CAST(w.balance + COALESCE(
               (SELECT SUM(s.balance) FROM wallet_slots s WHERE s.wallet_id = w.id), 0) AS SIGNED) AS total,
           CAST(w.held - COALESCE(
               (SELECT SUM(h.amount - h.captured) FROM holds h WHERE h.payer_wallet_id = w.id AND h.status = 'placed'
                AND h.expires_at <= UTC_TIMESTAMP(6)), 0) AS SIGNED) AS held,
           GREATEST(UTC_TIMESTAMP(6), w.last_entry_at, COALESCE(
               (SELECT MAX(s.last_entry_at) FROM wallet_slots s WHERE s.wallet_id = w.id), w.last_entry_at)) AS now
    FROM wallets w
    JOIN users u ON u.id = w.user_id
    LEFT JOIN merchant_approvals m ON m.user_id = u.id
    LEFT JOIN own_freezes f ON f.wallet_id = w.id
    JOIN tier_limits l ON l.tier = w.tier AND l.valid_from = (
        SELECT MAX(o.valid_from) FROM tier_limits o WHERE o.tier = w.tier AND o.valid_from <= UTC_TIMESTAMP(6))
    WHERE w.user_id = p_user_id;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- Its owner freezes a wallet (0028). Who calls off an end that was asked for is told of, too: with one session of their owner's
-- a thief could otherwise keep a wallet frozen day by day, and nobody would hear of it.
DROP PROCEDURE IF EXISTS freeze_own_wallet;
DELIMITER //
CREATE PROCEDURE freeze_own_wallet(IN p_user_id BINARY(16), IN p_generation INT UNSIGNED, IN p_session_id BINARY(16))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_is_news BOOLEAN DEFAULT TRUE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    IF v_outcome IS NULL THEN
        IF v_status = 'active' THEN
            UPDATE wallets SET status = 'frozen' WHERE id = v_wallet_id;
            INSERT INTO own_freezes (wallet_id, frozen_at) VALUES (v_wallet_id, v_now);
            CALL end_sessions(p_user_id, NULL, p_session_id, v_now);
        ELSE
            UPDATE own_freezes SET unfreeze_at = NULL WHERE wallet_id = v_wallet_id AND unfreeze_at IS NOT NULL;
            SET v_is_news = ROW_COUNT() > 0;
        END IF;
        IF v_is_news THEN
            CALL note_event(v_wallet_id, NULL, 'WalletFrozen', JSON_OBJECT('reason', 'owner'), v_now);
        END IF;
        SET v_outcome = 'done';
    ELSEIF EXISTS (SELECT 1 FROM own_freezes WHERE wallet_id = v_wallet_id AND unfreeze_at IS NULL)
        AND EXISTS (SELECT 1 FROM sessions WHERE id = p_session_id AND ended_at IS NULL) THEN
        SET v_outcome = 'done';
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;
