-- Books what a provider says became of a payout: 'succeeded', 'failed' or 'reversed', in any order and any number of
-- times; `wallet.ledger.withdrawals.hear` is the same rule in Python. Answers 'done', 'duplicate' (known before),
-- 'unknown_withdrawal', 'mismatch' (it is not what was asked for) or 'disputed' (paid out, and failed): the last two
-- move nothing. One that was corrected does not stand as its status says: any news of it is 'disputed', for
-- `hear_dispute` to weigh.
CREATE PROCEDURE settle_withdrawal(
    IN p_transaction_id BINARY(16),
    IN p_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_withdrawal_id BINARY(16),
    IN p_payout_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_news VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_payout_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_agrees, v_corrected BOOLEAN DEFAULT FALSE;
    DECLARE v_return_id BINARY(16) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT status, provider_payout_id,
           provider = p_provider AND amount = p_amount AND currency = p_currency
               AND COALESCE(provider_payout_id, p_payout_id) = p_payout_id
    INTO v_status, v_payout_id, v_agrees
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    SELECT COUNT(*) > 0 INTO v_corrected
    FROM withdrawal_bookings WHERE withdrawal_id = p_withdrawal_id AND type = 'adjustment';

    SET v_outcome = CASE
        WHEN v_status IS NULL THEN 'unknown_withdrawal'
        WHEN NOT v_agrees THEN 'mismatch'
        WHEN v_corrected THEN 'disputed'
        WHEN v_status = 'succeeded' AND p_news = 'failed' OR v_status = 'failed' AND p_news = 'succeeded' THEN 'disputed'
        WHEN v_status = 'pending' OR v_status = 'succeeded' AND p_news = 'reversed' THEN 'done'
        ELSE 'duplicate' END;

    IF v_outcome = 'done' AND v_payout_id IS NULL THEN
        BEGIN
            DECLARE CONTINUE HANDLER FOR 1062 SET v_outcome = 'mismatch'; -- it is another withdrawal's
            UPDATE withdrawals SET provider_payout_id = p_payout_id WHERE id = p_withdrawal_id;
        END;
    END IF;

    IF v_outcome = 'done' THEN
        IF p_news = 'failed' THEN
            CALL free_withdrawal(p_withdrawal_id, p_reason);
        ELSEIF v_status = 'pending' THEN
            CALL pay_withdrawal_out(p_withdrawal_id, p_transaction_id);
        END IF;
        IF p_news = 'reversed' THEN
            CALL derive_id(p_transaction_id, 'return', v_return_id);
            CALL take_withdrawal_back(p_withdrawal_id, v_return_id, p_reason);
        END IF;
        COMMIT;
    ELSE
        ROLLBACK;
        -- our own commit, whose answer was lost, is no duplicate
        CALL derive_id(p_transaction_id, 'return', v_return_id);
        SELECT IF(v_outcome = 'duplicate' AND COUNT(*) > 0, 'done', v_outcome) INTO v_outcome
        FROM transactions WHERE id IN (p_transaction_id, v_return_id);
    END IF;
    SELECT v_outcome AS outcome, NULL AS result;
END
