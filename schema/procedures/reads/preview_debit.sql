-- GET /payments/preview and GET /withdrawals/preview: what would happen, before it is asked for.
--
-- What the kernel would look at of somebody's own wallet if they paid that payee now, or withdrew to that address
-- (`p_vpa`, NULL of a payment). What follows from it is for the caller to say, as nothing hangs on it. What a payment
-- executes computes the same under its locks, where a reader can't follow: a property test holds the two together.
--
-- Nothing of the payee is read. Their phone is compared with the caller's own and with nobody else's, and whether a
-- payment to their wallet was confirmed before is in the caller's own past: so the answer is the same, and as fast,
-- whoever they are.
CREATE PROCEDURE preview_debit(
    IN p_user_id BINARY(16),
    IN p_amount BIGINT,
    IN p_payee_wallet_id BINARY(16),
    IN p_payee_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_vpa VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin
)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_available, v_max_payment, v_max_debit_day, v_max_debit_month, v_unused BIGINT DEFAULT NULL;
    DECLARE v_fee BIGINT DEFAULT 0;
    DECLARE v_person_to_person, v_withdrawals BOOLEAN DEFAULT NULL;
    DECLARE v_day, v_month, v_year DATE DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT NULL;

    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
    START TRANSACTION WITH CONSISTENT SNAPSHOT;
    SELECT id, tier, GREATEST(UTC_TIMESTAMP(6), last_entry_at + INTERVAL 1 MICROSECOND) INTO v_wallet_id, v_tier, v_now
    FROM wallets WHERE user_id = p_user_id;
    IF v_wallet_id IS NOT NULL THEN
        CALL sum_available(v_wallet_id, v_available);
        CALL limits_of(v_tier, v_now, v_unused, v_unused, v_max_payment, v_unused, v_unused, v_max_debit_day,
                       v_max_debit_month, v_person_to_person, v_withdrawals);
        CALL periods_of(v_now, v_day, v_month, v_year);
        IF p_vpa IS NOT NULL THEN
            CALL fee_of('withdrawal', p_amount, UTC_TIMESTAMP(6), v_fee);
        END IF;
    END IF;
    -- what lapsed holds held counts no more, though nobody may have written that down yet (see check_debit_limits)
    SELECT v_now AS now, w.status, v_available AS available, v_fee AS fee,
           COALESCE(p_payee_wallet_id = w.id OR p_payee_phone = u.phone, FALSE) AS is_own,
           v_max_payment AS max_payment, v_max_debit_day AS max_debit_day, v_max_debit_month AS max_debit_month,
           v_person_to_person AS person_to_person, v_withdrawals AS withdrawals, w.tier,
           CAST(IF(w.usage_day = v_day, w.debited_day, 0) - COALESCE(
               (SELECT SUM(h.amount - h.captured) FROM holds h FORCE INDEX (holds_of_payer)
                WHERE h.payer_wallet_id = w.id AND h.status = 'placed' AND h.expires_at <= UTC_TIMESTAMP(6)
                  AND DATE(h.created_at + INTERVAL 330 MINUTE) = v_day), 0) AS SIGNED) AS debited_today,
           CAST(IF(w.usage_month = v_month, w.debited_month, 0) - COALESCE(
               (SELECT SUM(h.amount - h.captured) FROM holds h FORCE INDEX (holds_of_payer)
                WHERE h.payer_wallet_id = w.id AND h.status = 'placed' AND h.expires_at <= UTC_TIMESTAMP(6)
                  AND EXTRACT(YEAR_MONTH FROM h.created_at + INTERVAL 330 MINUTE)
                      = EXTRACT(YEAR_MONTH FROM v_day)), 0) AS SIGNED) AS debited_this_month,
           IF(w.unconfirmed_on = v_day, w.unconfirmed_day, 0) AS unconfirmed_today,
           IF(w.paused_until > UTC_TIMESTAMP(6), w.paused_until, NULL) AS paused_until,
           c.above, c.day_above, c.new_payee_above, c.new_vpa, c.new_vpa_wait_s, a.known_from,
           EXISTS (SELECT 1 FROM known_payees k
                   WHERE k.wallet_id = w.id AND k.payee_wallet_id = p_payee_wallet_id) AS is_known
    FROM wallets w JOIN users u ON u.id = w.user_id
    LEFT JOIN known_vpas a ON a.wallet_id = w.id AND a.vpa = p_vpa
    LEFT JOIN confirmation_rules c ON c.tier = w.tier AND c.valid_from = (
        SELECT MAX(f.valid_from) FROM confirmation_rules f WHERE f.tier = w.tier AND f.valid_from <= v_now)
    WHERE w.id = v_wallet_id;
    COMMIT AND NO CHAIN NO RELEASE;
END
