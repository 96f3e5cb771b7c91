-- Writes a request down, or finds it written down under its id. So many a day, or whoever signs up could fill the table.
CREATE PROCEDURE open_payment_request(
    IN p_actor_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_payment_request_id BINARY(16),
    IN p_amount BIGINT,
    IN p_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_valid_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_generation, v_allowed INT UNSIGNED DEFAULT NULL;
    DECLARE v_is_there BOOLEAN DEFAULT FALSE;
    DECLARE v_free_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT id, status, session_generation INTO v_wallet_id, v_status, v_generation
    FROM wallets WHERE user_id = p_actor_id;
    SELECT EXISTS (SELECT 1 FROM payment_requests WHERE id = p_payment_request_id AND wallet_id = v_wallet_id)
    INTO v_is_there;
    IF v_is_there THEN
        SET v_outcome = 'done'; -- our own commit, whose answer was lost
    ELSEIF v_wallet_id IS NULL OR v_generation <> p_generation THEN
        SET v_outcome = 'invalid_token';
    ELSEIF v_status <> 'active' THEN
        SET v_outcome = 'wallet_frozen';
    ELSE
        CALL quota_of(p_actor_id, 100, 50000, v_allowed);
        CALL use_quota(p_actor_id, 'payment_requests', 1, v_allowed, 86400, v_free_at);
        IF v_free_at IS NULL THEN
            INSERT INTO payment_requests (id, wallet_id, amount, currency, description, created_at, expires_at)
            VALUES (p_payment_request_id, v_wallet_id, p_amount, 'INR', p_description, v_now,
                    v_now + INTERVAL p_valid_seconds SECOND);
        ELSE
            SET v_outcome = 'too_many_payment_requests';
            CALL tell_retry(v_free_at, v_result);
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END
