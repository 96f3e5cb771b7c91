-- Takes one due withdrawal for a question to the provider, tells what is to be asked, and says when the next question
-- is due: while it is pending each waits twice as long, to six hours at most; one that has ended is asked about daily
-- until a week after its end, and the end of a dispute is one. Of two that want the same withdrawal, one gets 'done'.
-- While its wallet is not active nobody is asked to pay: one that nobody was asked to pay yet is 'paused' (who unfreezes
-- the wallet makes it due); one that somebody may have been asked to pay is asked about, and not sent (`may_send`).
CREATE PROCEDURE claim_withdrawal_check(
    IN p_withdrawal_id BINARY(16),
    IN p_checks INT UNSIGNED,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'taken';
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_wallet_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_due, v_unpaid, v_asked, v_may_send BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE v_waits_until, v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- the row first and by its key, as everybody locks it; by the index of due times two could meet crosswise
    SELECT next_check_at <= v_now AND checks = p_checks, status = 'pending' AND provider_payout_id IS NULL, asked, wallet_id,
           waits_until
    INTO v_due, v_unpaid, v_asked, v_wallet_id, v_waits_until
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    IF v_due AND v_unpaid THEN
        SELECT status, paused_until INTO v_wallet_status, v_paused_until
        FROM wallets WHERE id = v_wallet_id FOR UPDATE;
        SET v_waits_until = GREATEST(COALESCE(v_waits_until, v_now), COALESCE(v_paused_until, v_now));
        SET v_may_send = v_wallet_status = 'active' AND v_waits_until <= v_now;
    END IF;
    IF v_due AND v_unpaid AND NOT v_asked AND NOT v_may_send THEN
        SET v_outcome = 'paused';
        UPDATE withdrawals
        SET next_check_at = IF(v_waits_until > v_now, v_waits_until, v_now + INTERVAL 1 HOUR) WHERE id = p_withdrawal_id;
    ELSEIF v_due THEN
        SET v_outcome = 'done';
        UPDATE withdrawals
        SET checks = checks + 1,
            asked = asked OR v_unpaid,
            asked_at = IF(v_unpaid AND NOT v_asked, v_now, asked_at),
            next_check_at = CASE
                WHEN status = 'pending' THEN v_now
                    + INTERVAL LEAST(21600, p_first_check_seconds * POW(2, LEAST(p_checks, 16))) SECOND
                WHEN GREATEST(created_at, COALESCE(ended_at, created_at)) + INTERVAL 6 DAY > v_now THEN v_now + INTERVAL 1 DAY
                ELSE NULL END
        WHERE id = p_withdrawal_id;
        SELECT JSON_OBJECT(
            'withdrawal_id', LOWER(HEX(d.id)), 'status', d.status, 'vpa', d.vpa, 'payee_name', u.name,
            'amount', d.amount, 'currency', d.currency, 'payout_id', d.provider_payout_id, 'may_send', v_may_send + 0,
            'age_s', TIMESTAMPDIFF(SECOND, COALESCE(d.asked_at, d.created_at), v_now)) INTO v_result
        FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id JOIN users u ON u.id = w.user_id
        WHERE d.id = p_withdrawal_id;
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, v_result AS result;
END
