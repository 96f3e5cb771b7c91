-- Promises a part of the actor's wallet to another: it stays there and is no longer available. A payer has 1,000 holds at most.
CREATE PROCEDURE place_hold(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_hold_id BINARY(16),
    IN p_payee_wallet_id BINARY(16),
    IN p_payee_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_valid_seconds INT UNSIGNED,
    IN p_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
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

    IF p_valid_seconds IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a hold needs a time at which it ends'; -- or it would be paid
    END IF;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET v_is_taken = TRUE;
        INSERT INTO idempotency_records (actor_id, idem_key, request_hash, made_id, created_at)
        VALUES (p_actor_id, p_key, p_request_hash, p_hold_id, UTC_TIMESTAMP(6));
    END;
    IF v_is_taken THEN
        CALL find_what_a_key_made(p_actor_id, p_key, p_request_hash, v_outcome, v_made_id);
    ELSE
        CALL make_payment(p_actor_id, p_key, p_request_hash, p_generation, p_hold_id, p_payee_wallet_id, p_payee_phone,
                          p_amount, p_description, NULL, p_valid_seconds, v_outcome, v_result, v_payer_id, v_payer_name,
                          v_payee_id, v_payee_name, v_balance, v_held, v_at);
    END IF;
    IF v_outcome IN ('done', 'replayed') THEN
        COMMIT;
        -- as it was placed, with the names that both sides have now
        SELECT v_outcome AS outcome, h.id AS hold_id, 'placed' AS status, h.amount, 0 AS captured, h.currency, h.description,
               h.payer_wallet_id, payer.name AS payer_name, h.payee_wallet_id, payee.name AS payee_name,
               h.created_at, h.expires_at, v_balance AS balance, v_held AS held
        FROM holds h
        JOIN wallets payer_wallet ON payer_wallet.id = h.payer_wallet_id
        JOIN users payer ON payer.id = payer_wallet.user_id
        JOIN wallets payee_wallet ON payee_wallet.id = h.payee_wallet_id
        JOIN users payee ON payee.id = payee_wallet.user_id
        WHERE h.id = COALESCE(v_made_id, p_hold_id);
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_actor_id, p_key, p_request_hash, p_hold_id, 'hold', v_outcome, v_result);
        CALL answer_payer(p_actor_id, v_outcome, v_result);
    END IF;
END
