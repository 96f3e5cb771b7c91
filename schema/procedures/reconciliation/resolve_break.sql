-- Resolves a break by an operator's word: for what only a person can settle. A payment's dispute ends by an order of its own,
-- which says what becomes of the money: 'invalid_request' here.
CREATE PROCEDURE resolve_break(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_break_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_is_open, v_is_dispute BOOLEAN DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_command(p_actor_id, p_key, p_request_hash, p_action_id, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT resolved_at IS NULL, kind = 'payment_dispute' INTO v_is_open, v_is_dispute
        FROM reconciliation_breaks WHERE id = p_break_id FOR UPDATE;
        SET v_outcome = CASE
            WHEN NOT COALESCE(v_is_open, FALSE) THEN 'not_found'
            WHEN v_is_dispute THEN 'invalid_request'
            ELSE 'done' END;
        IF v_outcome = 'done' THEN
            UPDATE reconciliation_breaks
            SET resolved_at = UTC_TIMESTAMP(6), resolution = 'operator', resolved_by = p_operator, reason = p_reason
            WHERE id = p_break_id;
            SELECT JSON_OBJECT('break_id', LOWER(HEX(id)), 'kind', kind, 'gateway', gateway, 'subject', subject,
                               'our_amount', our_amount, 'their_amount', their_amount)
            INTO v_result FROM reconciliation_breaks WHERE id = p_break_id;
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'resolve_break',
                     NULL, p_break_id);
END
