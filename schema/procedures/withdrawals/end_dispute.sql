-- Orders that a disputed withdrawal be ended: the reconciler asks the provider once more, and books what it then says,
-- whichever of the two contradicting words that is. Only while the dispute is an open break; and not of one that has come
-- back and was corrected, in whatever order: both are booked once at most.
CREATE PROCEDURE end_dispute(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_withdrawal_id BINARY(16),
    IN p_subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wallet_id, v_break_id BINARY(16) DEFAULT NULL;
    DECLARE v_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount BIGINT DEFAULT NULL;
    DECLARE v_turns INT DEFAULT 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_command(p_actor_id, p_key, p_request_hash, p_action_id, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT wallet_id, provider, status, amount INTO v_wallet_id, v_provider, v_status, v_amount
        FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
        SELECT id INTO v_break_id FROM reconciliation_breaks
        WHERE kind = 'disputed_withdrawal' AND gateway = v_provider AND subject = p_subject AND resolved_at IS NULL
        FOR UPDATE;
        SELECT COUNT(*) INTO v_turns FROM withdrawal_bookings
        WHERE withdrawal_id = p_withdrawal_id AND type IN ('withdrawal_return', 'adjustment');
        SET v_outcome = IF(v_break_id IS NULL OR v_turns > 1, 'not_found', 'done');
        IF v_outcome = 'done' THEN
            UPDATE reconciliation_breaks SET order_id = p_action_id WHERE id = v_break_id;
            UPDATE withdrawals SET next_check_at = UTC_TIMESTAMP(6) WHERE id = p_withdrawal_id;
            SET v_result = JSON_OBJECT(
                'withdrawal_id', LOWER(HEX(p_withdrawal_id)), 'wallet_id', LOWER(HEX(v_wallet_id)),
                'break_id', LOWER(HEX(v_break_id)), 'status', v_status, 'amount', v_amount + 0);
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'end_dispute',
                     v_wallet_id, p_withdrawal_id);
END
