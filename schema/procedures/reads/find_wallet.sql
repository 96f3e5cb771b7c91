-- Somebody's wallet as it stands. A hold whose time is over holds nothing, whether or not the sweep has come by. Slots are
-- all there in one snapshot. A wallet's own time may be ahead of the server's clock, which may have been set back: it is as
-- of its last entry. `unfreeze_at`: when the freeze ends, if somebody has asked for its end, so that its owner can freeze it
-- again before; it may be past by some minutes, until the clock comes by.
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
END
