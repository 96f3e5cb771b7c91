-- Opens an attempt to top up the actor's wallet: our row comes before the gateway's order, so that no order is ever
-- made that we don't know of. A replay answers the attempt as it stands, so that a lost order is made again. A wallet has
-- 50 attempts at most that are open: each costs the reconciler its time. Two at once may get past the count by one: it is
-- no money, and a lock on the wallet would be.
CREATE PROCEDURE open_top_up(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_attempt_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_valid_seconds INT,
    IN p_first_check_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_made_id, v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_balance, v_max_top_up, v_unused BIGINT DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_open INT DEFAULT 0;
    DECLARE v_first_over DATETIME(6) DEFAULT NULL;
    DECLARE v_flag BOOLEAN DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_key(p_actor_id, p_key, p_request_hash, p_attempt_id, v_outcome, v_made_id);
    IF v_outcome <> 'claimed' THEN
        ROLLBACK;
    ELSE
        -- No lock: the limits are checked again, under the lock, when the money arrives. This is a courtesy.
        SELECT id, status, tier, balance, session_generation INTO v_wallet_id, v_status, v_tier, v_balance, v_generation
        FROM wallets WHERE user_id = p_actor_id;
        IF v_wallet_id IS NULL OR v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSE
            CALL limits_of(v_tier, v_now, v_unused, v_max_top_up, v_unused, v_unused, v_unused, v_unused, v_unused,
                           v_flag, v_flag);
            SELECT v_balance + COALESCE(SUM(balance), 0) INTO v_balance FROM wallet_slots WHERE wallet_id = v_wallet_id;
            CALL refuse_credit(v_wallet_id, v_tier, v_balance, p_amount, TRUE, v_now, v_reason);
            -- ids begin with their time: those of attempts that may be open are the last of the wallet's
            SELECT COUNT(*), MIN(expires_at) INTO v_open, v_first_over
            FROM payment_attempts
            WHERE wallet_id = v_wallet_id AND status IN ('created', 'pending', 'failed') AND expires_at > v_now
              AND id > UNHEX(RPAD(LPAD(HEX(CAST((UNIX_TIMESTAMP() - p_valid_seconds - 3600) * 1000 AS UNSIGNED)), 12, '0'),
                                  32, '0'));
            IF v_open >= 50 THEN
                SET v_outcome = 'too_many_open_top_ups';
                SET v_result = JSON_OBJECT(
                    'retry_after_s', GREATEST(1, TIMESTAMPDIFF(SECOND, v_now, v_first_over)));
            ELSEIF p_amount < 100 OR p_amount > v_max_top_up THEN
                SET v_outcome = 'amount_out_of_range';
            ELSEIF v_reason IS NOT NULL THEN
                SET v_outcome = 'wallet_limit_exceeded';
                CALL tell_credit_limit(v_wallet_id, v_tier, v_balance, p_amount, TRUE, v_now, v_result);
            ELSE
                SET v_outcome = 'done';
            END IF;
        END IF;
        IF v_outcome = 'done' THEN
            INSERT INTO payment_attempts
                (id, wallet_id, gateway, amount, currency, status, created_at, expires_at, next_check_at, checks)
            VALUES (p_attempt_id, v_wallet_id, p_gateway, p_amount, 'INR', 'created', v_now,
                    v_now + INTERVAL p_valid_seconds SECOND, v_now + INTERVAL p_first_check_seconds SECOND, 0);
            CALL note_attempt(p_attempt_id, 'pending', NULL, '', v_now);
            COMMIT;
        ELSE
            ROLLBACK;
        END IF;
    END IF;

    IF v_outcome IN ('done', 'replayed') THEN
        CALL answer_top_up(v_outcome, COALESCE(v_made_id, p_attempt_id));
    ELSE
        SELECT v_outcome AS outcome, v_result AS result;
    END IF;
END
