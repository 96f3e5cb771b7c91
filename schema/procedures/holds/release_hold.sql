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
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payer_id, v_payer_user, v_payee_user, v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_expires_at, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SELECT NULL, payer.id, payer.user_id, payee.user_id INTO v_outcome, v_payer_id, v_payer_user, v_payee_user
        FROM holds h
        JOIN wallets payer ON payer.id = h.payer_wallet_id JOIN wallets payee ON payee.id = h.payee_wallet_id
        WHERE h.id = p_hold_id AND p_actor_id IN (payer.user_id, payee.user_id);
        IF v_payer_id IS NULL THEN
            SET v_outcome = 'not_found';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        SELECT id INTO v_locked FROM wallets WHERE id = v_payer_id FOR UPDATE;
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

    IF v_outcome IS NULL THEN
        CALL tell_hold(p_hold_id, NULL, v_result);
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SET v_outcome = 'done';
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END
