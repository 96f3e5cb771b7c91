-- Gives a top-up, or money that is in suspense, back to where it came from; `p_amount` NULL is all that is left of it.
CREATE PROCEDURE refund_to_source(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_refund_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_transaction_id BINARY(16),
    IN p_amount BIGINT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_owner_id BINARY(16) DEFAULT NULL;
    DECLARE v_amount BIGINT DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_command(p_actor_id, p_key, p_request_hash, p_refund_id, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL open_source_refund(p_refund_id, p_transaction_id, p_amount, p_operator, v_outcome, v_owner_id, v_amount);
        IF v_outcome = 'done' THEN
            SET v_result = JSON_OBJECT(
                'refund_id', LOWER(HEX(p_refund_id)), 'transaction_id', LOWER(HEX(p_transaction_id)),
                'wallet_id', LOWER(HEX(v_owner_id)), 'amount', v_amount + 0, 'status', 'pending');
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_refund_id, p_operator, p_reason, 'refund_to_source',
                     v_owner_id, p_refund_id);
END
