-- A payment that somebody asks for.
CREATE PROCEDURE post_payment(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_transaction_id BINARY(16),
    IN p_payee_wallet_id BINARY(16),
    IN p_payee_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reference VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL make_payment(p_actor_id, p_key, p_request_hash, p_generation, p_transaction_id, p_payee_wallet_id,
                          p_payee_phone, p_amount, p_description, p_reference, v_outcome, v_result);
    END IF;
    IF v_outcome = 'done' THEN
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SELECT v_outcome AS outcome, v_result AS result;
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_actor_id, p_key, p_request_hash, p_transaction_id, 'payment', v_outcome, v_result);
        CALL answer_payer(p_actor_id, v_outcome, v_result);
    END IF;
END
