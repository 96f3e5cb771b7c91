-- A user, a wallet and its account, in one commit, for whoever proves the phone. The idempotency key is optional here
-- (p_key NULL); its scope is p_scope_id, derived from the proof, for nobody is signed in yet. The phone of a closed wallet
-- is free; that of another is 'phone_taken' unless `p_replace`: numbers are given to others. Not of an account of the last
-- 30 days, nor of one that operators have frozen or are closing: else a freeze and a month's limits would be new with each
-- account ('operator_needed'). A refusal uses no proof up.
CREATE PROCEDURE register_user(
    IN p_scope_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_proof_hash BINARY(32),
    IN p_user_id BINARY(16),
    IN p_wallet_id BINARY(16),
    IN p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_email VARCHAR(254) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_password_hash VARBINARY(60),
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_replace BOOLEAN
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'claimed';
    DECLARE v_proved VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_made_id, v_former_id BINARY(16) DEFAULT NULL;
    DECLARE v_former_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_taken, v_is_operators BOOLEAN DEFAULT FALSE;
    DECLARE v_created_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    IF p_key IS NOT NULL THEN
        CALL claim_key(p_scope_id, p_key, p_request_hash, p_user_id, v_outcome, v_made_id);
    END IF;
    IF v_outcome = 'claimed' THEN
        CALL use_phone_proof(p_proof_hash, 'register', p_user_id, v_proved);
        -- the wallet is read behind the lock of its owner, for whom two may be waiting who want the phone
        SELECT id, created_at INTO v_former_id, v_created_at FROM users WHERE phone = p_phone FOR UPDATE;
        SELECT w.status, w.status = 'closing' OR (w.status = 'frozen' AND f.wallet_id IS NULL)
        INTO v_former_status, v_is_operators FROM wallets w LEFT JOIN own_freezes f ON f.wallet_id = w.id
        WHERE w.user_id = v_former_id;
        IF COALESCE(v_proved <> p_phone, TRUE) THEN
            SET v_outcome = 'invalid_proof';
        ELSEIF v_former_id = p_user_id THEN
            SET v_outcome = 'done'; -- our own commit, whose answer was lost
        ELSEIF v_former_id IS NOT NULL AND v_former_status <> 'closed' AND NOT p_replace THEN
            SET v_outcome = 'phone_taken';
        ELSEIF v_former_status <> 'closed' AND (v_is_operators OR v_created_at > v_now - INTERVAL 30 DAY) THEN
            SET v_outcome = 'operator_needed';
        ELSE
            IF v_former_id IS NOT NULL THEN
                CALL detach_phone(v_former_id, v_now);
            END IF;
            BEGIN
                DECLARE CONTINUE HANDLER FOR 1062 SET v_taken = TRUE;
                INSERT INTO users (id, phone, name, email, kind, password_hash, created_at)
                VALUES (p_user_id, p_phone, p_name, p_email, p_kind, p_password_hash, v_now);
            END;
            -- by somebody else's commit of this moment, which the next look finds
            SET v_outcome = IF(v_taken, 'try_again', 'done');
            SET v_created_at = v_now;
        END IF;
        IF v_outcome = 'done' AND v_created_at = v_now THEN
            INSERT INTO proved_phones (user_id, phone, proved_at) VALUES (p_user_id, p_phone, v_now);
            INSERT INTO wallets (id, user_id, tier, currency, status, balance, held, entries, last_entry_at, created_at)
            VALUES (p_wallet_id, p_user_id, p_tier, 'INR', 'active', 0, 0, 0, v_now, v_now);
            INSERT INTO accounts (id, code, kind, created_at)
            VALUES (p_wallet_id, CONCAT('wallet:', LOWER(HEX(p_wallet_id))), 'wallet', v_now);
        END IF;
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    IF v_outcome IN ('done', 'replayed') THEN
        -- what was asked for under this key is what is asked for again, whatever has become of the account
        SELECT v_outcome AS outcome, u.id AS user_id, w.id AS wallet_id, p_phone AS phone, p_name AS name, p_kind AS kind,
               w.currency, u.created_at
        FROM users u JOIN wallets w ON w.user_id = u.id WHERE u.id = COALESCE(v_made_id, p_user_id);
    ELSE
        SELECT v_outcome AS outcome, NULL AS result;
    END IF;
END
