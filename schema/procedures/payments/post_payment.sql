-- A payment that somebody asks for. Its answer's `balance` is the payer's behind it, and `held` what of that is promised.
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
    DECLARE v_made_id, v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_payer_name, v_payee_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_balance, v_held BIGINT DEFAULT NULL;
    DECLARE v_at DATETIME(6) DEFAULT NULL;
    DECLARE v_is_taken BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET v_is_taken = TRUE;
        INSERT INTO idempotency_records (actor_id, idem_key, request_hash, made_id, created_at)
        VALUES (p_actor_id, p_key, p_request_hash, p_transaction_id, UTC_TIMESTAMP(6));
    END;
    IF v_is_taken THEN
        CALL find_what_a_key_made(p_actor_id, p_key, p_request_hash, v_outcome, v_made_id);
    ELSE
        CALL make_payment(p_actor_id, p_key, p_request_hash, p_generation, p_transaction_id, p_payee_wallet_id,
                          p_payee_phone, p_amount, p_description, p_reference, NULL, v_outcome, v_result, v_payer_id,
                          v_payer_name, v_payee_id, v_payee_name, v_balance, v_held, v_at);
    END IF;
    IF v_outcome = 'done' THEN
        COMMIT;
        SELECT 'done' AS outcome, p_transaction_id AS transaction_id, p_amount AS amount, 'INR' AS currency,
               v_payer_id AS payer_wallet_id, v_payer_name AS payer_name,
               v_payee_id AS payee_wallet_id, v_payee_name AS payee_name,
               p_description AS description, p_reference AS reference, v_balance AS balance, v_held AS held, v_at AS created_at;
    ELSEIF v_outcome = 'replayed' THEN
        ROLLBACK;
        SELECT 'replayed' AS outcome, v_made_id AS transaction_id;
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_actor_id, p_key, p_request_hash, p_transaction_id, 'payment', v_outcome, v_result);
        CALL answer_payer(p_actor_id, v_outcome, v_result);
    END IF;
END
