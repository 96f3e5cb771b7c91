-- Internal. Ends an operator's command: the approval if it takes two people, and the line of the journal that its key has claimed
-- (see `claim_command`), then the commit; or nothing at all. Every command ends with it, so that none can forget either.
CREATE PROCEDURE end_command(
    IN p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_command VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_wallet_id BINARY(16),
    IN p_subject_id BINARY(16)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT p_outcome;
    DECLARE v_refusal VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;

    IF v_outcome IN ('done', 'replayed') AND p_command IN (
            'refund_to_source', 'credit_from_suspense', 'credit_from_unclaimed', 'write_off', 'resolve_break',
            'resolve_payment_dispute', 'end_dispute', 'set_tier', 'free_phone', 'change_phone') THEN
        CALL record_approval(p_actor_id, p_key, p_action_id, p_operator, p_command, p_outcome, v_refusal);
        SET v_outcome = IF(v_refusal IS NULL, p_outcome, 'not_found');
    END IF;
    IF v_outcome = 'done' THEN
        INSERT INTO operator_actions (id, operator, command, wallet_id, subject_id, reason, detail, created_at)
        VALUES (p_action_id, p_operator, p_command, p_wallet_id, p_subject_id, p_reason, p_result, UTC_TIMESTAMP(6));
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, IF(v_outcome IN ('done', 'replayed'), p_result, v_refusal) AS result;
END
