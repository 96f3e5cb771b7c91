-- Frees what is left of a hold: its payee at any time, its payer once its time has passed. One that has expired already
-- is what the caller wants.
CREATE PROCEDURE release_hold(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_hold_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_made_id, v_payer_id, v_payee_user BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_is_taken BOOLEAN DEFAULT FALSE;
    DECLARE v_expires_at, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

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
        SELECT payer.id, payee.user_id INTO v_payer_id, v_payee_user
        FROM holds h
        JOIN wallets payer ON payer.id = h.payer_wallet_id JOIN wallets payee ON payee.id = h.payee_wallet_id
        WHERE h.id = p_hold_id AND p_actor_id IN (payer.user_id, payee.user_id);
        SET v_outcome = IF(v_payer_id IS NULL, 'not_found', NULL);
    END IF;

    IF v_outcome IS NULL THEN
        SELECT id INTO v_payer_id FROM wallets WHERE id = v_payer_id FOR UPDATE;
        SELECT status, expires_at INTO v_status, v_expires_at FROM holds WHERE id = p_hold_id FOR UPDATE;
        SELECT session_generation INTO v_generation FROM wallets WHERE user_id = p_actor_id;
        SET v_now = UTC_TIMESTAMP(6);
        IF v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_status = 'placed' AND v_expires_at <= v_now THEN
            CALL end_hold(p_hold_id, 'expired', v_now);
        ELSEIF v_status = 'placed' AND p_actor_id = v_payee_user THEN
            CALL end_hold(p_hold_id, 'released', v_now);
        ELSEIF v_status = 'placed' THEN
            SET v_outcome = 'hold_not_due';
        ELSEIF v_status <> 'expired' THEN
            SET v_outcome = 'hold_not_placed';
        END IF;
    END IF;

    IF COALESCE(v_outcome, 'done') IN ('done', 'replayed') THEN
        COMMIT;
        -- one that has ended does not change any more
        SELECT COALESCE(v_outcome, 'done') AS outcome, h.id AS hold_id, h.status, h.amount, h.captured, h.currency,
               h.description, h.payer_wallet_id, payer.name AS payer_name, h.payee_wallet_id, payee.name AS payee_name,
               h.created_at, h.expires_at
        FROM holds h
        JOIN wallets payer_wallet ON payer_wallet.id = h.payer_wallet_id
        JOIN users payer ON payer.id = payer_wallet.user_id
        JOIN wallets payee_wallet ON payee_wallet.id = h.payee_wallet_id
        JOIN users payee ON payee.id = payee_wallet.user_id
        WHERE h.id = COALESCE(v_made_id, p_hold_id);
    ELSE
        ROLLBACK;
        SELECT v_outcome AS outcome, NULL AS result;
    END IF;
END
