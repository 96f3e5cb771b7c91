-- Internal. Brings everything about a dispute in line with how its row stands: the payment and wallet it is about, what is
-- reserved, whether it is open, its break, its events and its history. The caller has changed the row, and holds its lock.
--   Open, or lost and not booked: as much is reserved as can be had, up to what is not booked and does not lie in suspense.
--   Open is what the gateway has not ended; what it says is lost and the books don't say so, to the amount; and what it says
--   is won after a loss was booked: an operator has to end these. `p_was_open`: it was open before, and its wallet known.
CREATE PROCEDURE apply_payment_dispute(
    IN p_dispute_id BINARY(16),
    IN p_seed_id BINARY(16),
    IN p_source VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_was_open BOOLEAN,
    IN p_action_id BINARY(16)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_their_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_detail TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_transaction_id, v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_amount, v_reserved, v_booked, v_suspended, v_takeable, v_available, v_target BIGINT DEFAULT 0;
    DECLARE v_is_over, v_is_open, v_is_new BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT NULL;

    CALL lock_disputed_money(p_dispute_id, p_seed_id, v_transaction_id, v_wallet_id, v_suspended, v_takeable, v_available,
                             v_now);
    SELECT gateway, gateway_dispute_id, status, currency, amount, reserved, from_wallet + from_suspense + from_losses
    INTO v_gateway, v_their_id, v_status, v_currency, v_amount, v_reserved, v_booked
    FROM payment_disputes WHERE id = p_dispute_id;

    SET v_is_over = v_status IN ('won', 'closed');
    SET v_is_open = CASE WHEN v_is_over THEN v_booked > 0 WHEN v_status = 'lost' THEN v_booked <> v_amount ELSE TRUE END;
    SET v_target = GREATEST(0, v_amount - v_booked);
    SET v_target = IF(v_is_over, 0, LEAST(v_target - LEAST(v_target, v_suspended), v_takeable, v_available));
    IF v_target <> v_reserved THEN
        CALL set_aside(v_wallet_id, v_target - v_reserved, 'dispute', p_dispute_id, v_now);
    END IF;
    UPDATE payment_disputes
    SET transaction_id = COALESCE(transaction_id, v_transaction_id),
        wallet_id = COALESCE(wallet_id, v_wallet_id),
        reserved = v_target,
        ended_at = IF(v_is_open, NULL, COALESCE(ended_at, v_now)),
        changes = changes + 1
    WHERE id = p_dispute_id;
    INSERT INTO payment_dispute_events
        (dispute_id, position, source, phase, status, amount, reason, respond_by, told_at, reserved, from_wallet,
         from_suspense, from_losses, is_open, created_at)
    SELECT id, changes, p_source, phase, status, amount, reason, respond_by, told_at, reserved, from_wallet, from_suspense,
           from_losses, v_is_open, v_now
    FROM payment_disputes WHERE id = p_dispute_id;

    IF v_is_open THEN
        CALL keep_break(p_dispute_id, 'payment_dispute', v_gateway, v_their_id, v_target + v_booked,
                        IF(v_is_over, 0, v_amount), v_currency, v_is_new);
    ELSE
        UPDATE reconciliation_breaks
        SET resolved_at = UTC_TIMESTAMP(6), resolution = IF(p_action_id IS NULL, 'gone', 'ended'), order_id = p_action_id
        WHERE kind = 'payment_dispute' AND gateway = v_gateway AND subject = v_their_id AND resolved_at IS NULL;
    END IF;

    SET v_is_open = v_is_open AND v_wallet_id IS NOT NULL;
    IF v_is_open <> p_was_open THEN
        SELECT IF(v_is_open,
            JSON_OBJECT('dispute_id', LOWER(HEX(id)), 'transaction_id', LOWER(HEX(transaction_id)), 'amount', amount,
                        'currency', currency, 'gateway', gateway, 'phase', phase, 'reason', reason, 'reserved', reserved),
            JSON_OBJECT('dispute_id', LOWER(HEX(id)), 'transaction_id', LOWER(HEX(transaction_id)), 'amount', amount,
                        'currency', currency, 'gateway', gateway, 'phase', phase, 'reason', reason, 'outcome', status,
                        'recovered', from_wallet))
        INTO v_detail FROM payment_disputes WHERE id = p_dispute_id;
        CALL note_event(v_wallet_id, NULL, IF(v_is_open, 'TopUpDisputed', 'TopUpDisputeEnded'), v_detail, v_now);
    END IF;
END
