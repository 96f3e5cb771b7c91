-- Weighs what a provider says of a payout that is what was asked for against where its money is by the books, corrections
-- and all; `wallet.ledger.withdrawals.weigh` is the same rule in Python. `p_asked`: it answers our own question.
--   The same: 'duplicate'. If it was asked for, a dispute is over: gone.
--   Corrected, and sent back by the bank now: the money comes back to the wallet ('done').
--   Back in the wallet, and an event says that it was paid out: an old one ('duplicate').
--   Any other contradiction is an open break, and nothing moves ('disputed'), unless an operator has ordered the end of
--   this very contradiction and this answers our question. Then it is booked, once ('done'):
--     paid out in the books, not by the provider's word: the money comes back to the wallet, with the fee it took;
--     not paid out in the books, paid out by the provider's word: a correction debits the wallet, without a fee. If what
--     is available does not cover it, nothing moves ('not_covered'), and the order stands until it does.
-- Whatever ends a dispute, the provider is asked for a week more; and at once about an event that contradicts what an
-- order has brought about. Locks: withdrawal, break, wallet.
CREATE PROCEDURE hear_dispute(
    IN p_break_id BINARY(16),
    IN p_transaction_id BINARY(16),
    IN p_withdrawal_id BINARY(16),
    IN p_subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payout_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_news VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_asked BOOLEAN
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'duplicate';
    DECLARE v_verdict VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_order_id, v_known_id BINARY(16) DEFAULT NULL;
    DECLARE v_agrees, v_is_new, v_corrected, v_returned BOOLEAN DEFAULT FALSE;
    DECLARE v_is_paid BOOLEAN DEFAULT NULL;
    DECLARE v_ours, v_theirs BIGINT DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT provider, status,
           amount = p_amount AND currency = p_currency AND COALESCE(provider_payout_id, p_payout_id) = p_payout_id
    INTO v_provider, v_status, v_agrees
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    SELECT COALESCE(SUM(type = 'adjustment'), 0) > 0, COALESCE(SUM(type = 'withdrawal_return'), 0) > 0
    INTO v_corrected, v_returned
    FROM withdrawal_bookings WHERE withdrawal_id = p_withdrawal_id;
    SET v_is_paid = CASE v_status
        WHEN 'succeeded' THEN TRUE
        WHEN 'failed' THEN v_corrected AND NOT v_returned
        WHEN 'reversed' THEN v_corrected END;
    SET v_ours = IF(v_is_paid, p_amount, 0), v_theirs = IF(p_news = 'succeeded', p_amount, 0);
    SET v_verdict = CASE
        WHEN NOT v_agrees OR v_is_paid IS NULL THEN 'unknown'
        WHEN v_ours = v_theirs THEN 'agrees'
        WHEN p_news = 'reversed' AND NOT v_returned THEN 'comes_back'
        WHEN p_news = 'succeeded' AND v_returned AND NOT p_asked THEN 'old'
        ELSE 'disputed' END;
    -- of an order only what was ordered is carried out: the end of these two words against each other
    SELECT order_id INTO v_order_id FROM reconciliation_breaks
    WHERE kind = 'disputed_withdrawal' AND gateway = v_provider AND subject = p_subject AND resolved_at IS NULL
      AND our_amount = v_ours AND their_amount = v_theirs FOR UPDATE;

    IF v_verdict = 'disputed' THEN
        CALL keep_break(p_break_id, 'disputed_withdrawal', v_provider, p_subject, v_ours, v_theirs, p_currency, v_is_new);
        UPDATE reconciliation_breaks SET order_id = v_order_id
        WHERE kind = 'disputed_withdrawal' AND gateway = v_provider AND subject = p_subject AND resolved_at IS NULL;
        SET v_outcome = 'disputed';
        IF v_order_id IS NOT NULL AND p_asked AND NOT v_is_paid AND NOT v_corrected THEN
            CALL correct_withdrawal(p_withdrawal_id, p_transaction_id, p_payout_id, v_outcome);
        ELSEIF v_order_id IS NOT NULL AND p_asked AND v_is_paid AND NOT v_returned THEN
            SET v_verdict = 'comes_back';
        ELSEIF v_is_new AND (v_corrected OR v_returned) THEN
            UPDATE withdrawals SET next_check_at = IF(p_asked, COALESCE(next_check_at, v_now + INTERVAL 1 DAY), v_now)
            WHERE id = p_withdrawal_id;
        END IF;
    END IF;
    IF v_verdict = 'comes_back' THEN
        IF v_corrected THEN
            CALL take_correction_back(p_withdrawal_id, p_transaction_id);
        ELSE
            CALL take_withdrawal_back(p_withdrawal_id, p_transaction_id, 'disputed');
        END IF;
        SET v_outcome = 'done';
    END IF;
    IF v_outcome = 'done' OR v_verdict = 'agrees' AND p_asked THEN
        UPDATE reconciliation_breaks
        SET resolved_at = v_now, resolution = IF(v_outcome = 'done' AND order_id IS NOT NULL, 'ended', 'gone')
        WHERE kind = 'disputed_withdrawal' AND gateway = v_provider AND subject = p_subject AND resolved_at IS NULL;
        IF v_outcome = 'done' OR ROW_COUNT() > 0 THEN
            UPDATE withdrawals SET ended_at = GREATEST(ended_at, v_now), next_check_at = v_now + INTERVAL 1 DAY
            WHERE id = p_withdrawal_id;
        END IF;
    END IF;
    COMMIT;
    IF v_outcome = 'duplicate' THEN
        SELECT id INTO v_known_id FROM transactions WHERE id = p_transaction_id;
        SET v_outcome = IF(v_known_id IS NULL, 'duplicate', 'done'); -- our own commit, whose answer was lost
    END IF;
    SELECT v_outcome AS outcome, NULL AS result;
END
