-- Ends an attempt that the gateway refuses for good: it has failed, is over, and so takes no place among the open ones.
-- It is asked about once more all the same, and money that came of it would be credited. `p_order_id` is what the refused
-- caller knew of its order: 'changed' if another one has got further under the same key.
CREATE PROCEDURE refuse_attempt(
    IN p_attempt_id BINARY(16),
    IN p_order_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_ends BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT status IN ('created', 'pending', 'failed') AND intent_url IS NULL AND gateway_order_id <=> p_order_id
    INTO v_ends FROM payment_attempts WHERE id = p_attempt_id FOR UPDATE;
    IF v_ends THEN
        UPDATE payment_attempts SET status = 'failed', expires_at = LEAST(expires_at, v_now) WHERE id = p_attempt_id;
        CALL note_attempt(p_attempt_id, 'failed', p_reason, '', v_now);
    END IF;
    COMMIT;
    SELECT IF(v_ends, 'done', 'changed') AS outcome, NULL AS result;
END
