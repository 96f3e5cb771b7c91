-- Ends a dispute that is open, as an operator says, and books what is not booked yet:
--   'won': what is reserved is free; what had been booked as lost comes back from the gateway to where it was taken;
--   'lost_recovered': the wallet pays what is reserved and whatever else of it is available, up to what the payment brought
--   it; what that does not cover is borne by us;
--   'lost_borne': what is reserved is free, and we bear it.
-- Money in suspense bears itself, in both. If more is booked by now than was lost, the rest comes back: to the wallet first.
-- 'not_found' of one that is not open; 'invalid_request' of an end that contradicts the gateway's last word. Locks:
-- idempotency record, dispute, suspended transaction, wallet, break.
CREATE PROCEDURE resolve_payment_dispute(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_dispute_id BINARY(16),
    IN p_end VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_word VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_transaction_id, v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_is_open, v_was_open BOOLEAN DEFAULT FALSE;
    DECLARE v_amount, v_reserved, v_wallet, v_suspense, v_losses BIGINT DEFAULT 0;
    DECLARE v_suspended, v_takeable, v_available, v_more, v_back BIGINT DEFAULT 0;
    DECLARE v_from_wallet, v_from_suspense, v_from_losses BIGINT DEFAULT 0;
    DECLARE v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_command(p_actor_id, p_key, p_request_hash, p_action_id, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT ended_at IS NULL, ended_at IS NULL AND wallet_id IS NOT NULL, gateway_status, amount, reserved, from_wallet,
               from_suspense, from_losses
        INTO v_is_open, v_was_open, v_word, v_amount, v_reserved, v_wallet, v_suspense, v_losses
        FROM payment_disputes WHERE id = p_dispute_id FOR UPDATE;
        SET v_outcome = CASE
            WHEN NOT v_is_open THEN 'not_found'
            WHEN p_end NOT IN ('won', 'lost_recovered', 'lost_borne') THEN 'invalid_request'
            WHEN v_word IN ('won', 'closed') AND p_end <> 'won' OR v_word = 'lost' AND p_end = 'won' THEN 'invalid_request'
            ELSE 'done' END;
    END IF;
    IF v_outcome = 'done' THEN
        CALL lock_disputed_money(p_dispute_id, p_action_id, v_transaction_id, v_wallet_id, v_suspended, v_takeable,
                                 v_available, v_now);
        IF v_reserved > 0 THEN
            CALL set_aside(v_wallet_id, -v_reserved, 'dispute', p_dispute_id, v_now);
        END IF;
        -- the payment may have been booked since the last news
        UPDATE payment_disputes
        SET ends = ends + 1, reserved = 0, status = IF(p_end = 'won', 'won', 'lost'),
            transaction_id = COALESCE(transaction_id, v_transaction_id), wallet_id = COALESCE(wallet_id, v_wallet_id)
        WHERE id = p_dispute_id;
        SET v_more = IF(p_end = 'won', 0, v_amount) - v_wallet - v_suspense - v_losses;
        IF v_more >= 0 THEN
            SET v_from_suspense = LEAST(v_more, v_suspended);
            SET v_from_wallet = IF(p_end = 'lost_recovered',
                                   LEAST(v_more - v_from_suspense, v_takeable, v_available), 0);
            SET v_from_losses = v_more - v_from_suspense - v_from_wallet;
        ELSE
            SET v_from_wallet = -LEAST(-v_more, v_wallet);
            SET v_from_losses = -LEAST(-v_more + v_from_wallet, v_losses);
            SET v_from_suspense = v_more - v_from_wallet - v_from_losses;
        END IF;
        CALL post_chargeback(p_dispute_id, p_action_id, 'wallet', ABS(v_from_wallet), v_more < 0, v_now);
        CALL post_chargeback(p_dispute_id, p_action_id, 'suspense', ABS(v_from_suspense), v_more < 0, v_now);
        CALL post_chargeback(p_dispute_id, p_action_id, 'losses', ABS(v_from_losses), v_more < 0, v_now);
        UPDATE payment_disputes
        SET from_wallet = from_wallet + v_from_wallet, from_suspense = from_suspense + v_from_suspense,
            from_losses = from_losses + v_from_losses
        WHERE id = p_dispute_id;
        CALL derive_id(p_action_id, 'apply', v_transaction_id);
        CALL apply_payment_dispute(p_dispute_id, v_transaction_id, 'operator', v_was_open, p_action_id);
        IF v_wallet_id IS NOT NULL THEN
            CALL close_if_empty(v_wallet_id, v_now, v_wallet_status);
        END IF;
        SELECT JSON_OBJECT(
            'dispute_id', LOWER(HEX(id)), 'wallet_id', LOWER(HEX(wallet_id)), 'status', status, 'amount', amount,
            'from_wallet', from_wallet, 'from_suspense', from_suspense, 'from_losses', from_losses)
        INTO v_result FROM payment_disputes WHERE id = p_dispute_id;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'resolve_payment_dispute',
                     v_wallet_id, p_dispute_id);
END
