-- Sets the money of a withdrawal aside, and its fee, before anybody is asked to pay it out: it is no longer
-- available, and still in the wallet. A replay answers the same withdrawal, with no balance and with what it waits for now. Nobody is asked
-- before `claim_payout`, or the reconciler's `claim_withdrawal_check`, allows it.
-- To a VPA that the wallet has not known for long (`new_vpa_wait_s` of its tier) nobody is asked until then: its owner is told,
-- and may cancel it. Nor is anybody asked behind a reset (`paused_until`): the answer's `waits_until` is the later of the two.
CREATE PROCEDURE request_withdrawal(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_withdrawal_id BINARY(16),
    IN p_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_vpa VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_made_id, v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_total, v_held, v_fee BIGINT DEFAULT NULL;
    DECLARE v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_unconfirmed, v_confirm_above, v_confirm_day_above BIGINT DEFAULT NULL;
    DECLARE v_new_vpa_wait_s INT UNSIGNED DEFAULT 0;
    DECLARE v_is_allowed, v_confirm_new_vpa BOOLEAN DEFAULT NULL;
    DECLARE v_is_confirmed, v_is_new_vpa BOOLEAN DEFAULT FALSE;
    DECLARE v_last, v_now, v_known_from, v_paused_until, v_waits_until DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_key(p_actor_id, p_key, p_request_hash, p_withdrawal_id, v_outcome, v_made_id);

    IF v_outcome = 'claimed' THEN
        SET v_outcome = NULL;
        SELECT id INTO v_wallet_id FROM wallets WHERE user_id = p_actor_id;
        IF v_wallet_id IS NULL THEN
            SET v_outcome = 'invalid_token';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        CALL fee_of('withdrawal', p_amount, UTC_TIMESTAMP(6), v_fee);
        CALL lock_payer_with_usage(v_wallet_id, p_amount + v_fee, p_withdrawal_id, v_status, v_tier, v_total, v_held,
                                   v_last, v_generation, v_unconfirmed, v_paused_until);
        SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
        IF v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSEIF p_amount < 100 THEN
            SET v_outcome = 'amount_out_of_range';
        ELSEIF p_amount + v_fee > v_total - v_held THEN
            SET v_outcome = 'insufficient_funds';
        ELSE
            CALL check_debit_limits(v_wallet_id, v_tier, p_amount, v_now, v_limit, v_result);
            SELECT l.withdrawals, c.above, c.day_above, COALESCE(c.new_vpa, FALSE), COALESCE(c.new_vpa_wait_s, 0),
                   v.known_from
            INTO v_is_allowed, v_confirm_above, v_confirm_day_above, v_confirm_new_vpa, v_new_vpa_wait_s, v_known_from
            FROM tier_limits l
            LEFT JOIN confirmation_rules c ON c.tier = l.tier AND c.valid_from <= v_now
            LEFT JOIN known_vpas v ON v.wallet_id = v_wallet_id AND v.vpa = p_vpa
            WHERE l.tier = v_tier AND l.valid_from <= v_now ORDER BY l.valid_from DESC, c.valid_from DESC LIMIT 1;
            IF v_limit IS NOT NULL THEN
                SET v_outcome = 'wallet_limit_exceeded';
            ELSEIF NOT v_is_allowed THEN
                CALL tell_limit('withdrawals', v_outcome, v_result);
            END IF;
        END IF;
    END IF;

    -- last: nobody is asked to confirm what would be refused
    IF v_outcome IS NULL AND (p_amount > v_confirm_above OR v_unconfirmed + p_amount > v_confirm_day_above
            OR v_confirm_new_vpa AND COALESCE(v_known_from > v_now, TRUE)) THEN
        CALL use_confirmation(
            p_actor_id, p_key, p_request_hash, p_generation, 'withdrawal', v_wallet_id, NULL, p_vpa, NULL, p_amount,
            v_paused_until, TRUE, p_withdrawal_id, v_outcome, v_result, v_is_confirmed);
    END IF;

    IF v_outcome IS NULL THEN
        CALL set_aside(v_wallet_id, p_amount + v_fee, 'withdrawal', p_withdrawal_id, v_now);
        CALL record_debit_usage(v_wallet_id, p_amount, v_now, v_is_confirmed);
        IF v_known_from IS NULL THEN
            SET v_known_from = v_now + INTERVAL v_new_vpa_wait_s SECOND;
            INSERT INTO known_vpas (wallet_id, vpa, known_from) VALUES (v_wallet_id, p_vpa, v_known_from);
            SET v_is_new_vpa = TRUE;
        END IF;
        INSERT INTO withdrawals
            (id, wallet_id, provider, vpa, amount, fee, currency, status, created_at, next_check_at, checks, asked,
             waits_until)
        VALUES (p_withdrawal_id, v_wallet_id, p_provider, p_vpa, p_amount, v_fee, 'INR', 'pending', v_now,
                GREATEST(v_now + INTERVAL p_first_check_seconds SECOND, v_known_from), 0, FALSE,
                IF(v_known_from > v_now, v_known_from, NULL));
        CALL note_withdrawal(p_withdrawal_id, 'WithdrawalRequested', v_now);
        SET v_waits_until = GREATEST(v_known_from, COALESCE(v_paused_until, v_known_from));
        IF v_is_new_vpa OR v_known_from > v_now THEN
            CALL note_event(v_wallet_id, NULL, 'WithdrawalAddressAdded', JSON_OBJECT(
                'withdrawal_id', LOWER(HEX(p_withdrawal_id)), 'amount', p_amount + 0, 'currency', 'INR',
                'waits_until', DATE_FORMAT(v_waits_until, '%Y-%m-%dT%H:%i:%s.%f')), v_now);
        END IF;
        COMMIT;
        SET v_outcome = 'done';
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_actor_id, p_key, p_request_hash, p_withdrawal_id, 'withdrawal', v_outcome, v_result);
    END IF;
    IF v_outcome IN ('done', 'replayed') THEN
        SELECT v_outcome AS outcome, d.id AS withdrawal_id, d.amount, d.fee, d.currency, d.vpa, u.name AS payee_name,
               v_total AS balance, v_held + d.amount + d.fee AS held, d.created_at,
               CASE WHEN v_made_id IS NOT NULL THEN unsent.waits_until
                    WHEN v_waits_until > v_now THEN v_waits_until END AS waits_until
        FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id JOIN users u ON u.id = w.user_id
        LEFT JOIN unsent_withdrawals unsent ON unsent.id = d.id
        WHERE d.id = COALESCE(v_made_id, p_withdrawal_id) AND w.user_id = p_actor_id;
    ELSE
        SELECT v_outcome AS outcome, v_result AS result;
    END IF;
END
