-- The posting kernel: the only code that moves money. One CALL is one round trip and one commit.
-- The functions' database users may EXECUTE it, and may write nothing themselves.
--
-- Each public procedure answers one row: `outcome` ('done', 'replayed', 'try_again' or the code of a refusal) and
-- `result` (JSON text; NULL unless done or replayed). A refusal rolls everything back, the key included.
-- Locks are always taken in this order: idempotency record, payment attempt, wallets by id.

-- Internal. Claims a key inside the caller's atomic block. The unique key is the mutex: a second caller waits here
-- until the first has committed or rolled back.
DROP PROCEDURE IF EXISTS claim_idempotency_key;
DELIMITER //
CREATE PROCEDURE claim_idempotency_key(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_taken BOOLEAN DEFAULT FALSE;
    DECLARE v_request_hash BINARY(32) DEFAULT NULL;

    SET p_outcome = 'claimed';
    SET p_result = NULL;
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET v_taken = TRUE;
        INSERT INTO idempotency_records (actor_id, idem_key, request_hash, result, created_at)
        VALUES (p_actor_id, p_key, p_request_hash, NULL, UTC_TIMESTAMP(6));
    END;
    IF v_taken THEN
        SELECT request_hash, result INTO v_request_hash, p_result
        FROM idempotency_records WHERE actor_id = p_actor_id AND idem_key = p_key;
        IF v_request_hash IS NULL THEN
            SET p_outcome = 'try_again'; -- the one that had claimed it has just rolled back
        ELSEIF v_request_hash <> p_request_hash THEN
            SET p_outcome = 'idempotency_key_reused';
            SET p_result = NULL;
        ELSE
            SET p_outcome = 'replayed';
        END IF;
    END IF;
END//
DELIMITER ;

-- Internal. Moves `p_amount` from one account to another under a transaction that the caller has just inserted. The
-- caller holds the locks of the wallets among them; a posting that would overdraw one breaks a CHECK and everything.
DROP PROCEDURE IF EXISTS post_entry;
DELIMITER //
CREATE PROCEDURE post_entry(
    IN p_transaction_id BINARY(16),
    IN p_debit_account_id BINARY(16),
    IN p_credit_account_id BINARY(16),
    IN p_amount BIGINT,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_postings INT DEFAULT 0;

    UPDATE wallets SET balance = balance - p_amount, entries = entries + 1, last_entry_at = p_at
    WHERE id = p_debit_account_id;
    UPDATE wallets SET balance = balance + p_amount, entries = entries + 1, last_entry_at = p_at
    WHERE id = p_credit_account_id;

    INSERT INTO postings
        (transaction_id, line, account_id, side, amount, entry_no, balance_after, created_at)
    SELECT p_transaction_id, 1, a.id, 'debit', p_amount, w.entries, w.balance, p_at
    FROM accounts a LEFT JOIN wallets w ON w.id = a.id WHERE a.id = p_debit_account_id;
    SET v_postings = v_postings + ROW_COUNT();

    INSERT INTO postings
        (transaction_id, line, account_id, side, amount, entry_no, balance_after, created_at)
    SELECT p_transaction_id, 2, a.id, 'credit', p_amount, w.entries, w.balance, p_at
    FROM accounts a LEFT JOIN wallets w ON w.id = a.id WHERE a.id = p_credit_account_id;
    SET v_postings = v_postings + ROW_COUNT();

    IF v_postings <> 2 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an entry needs two accounts that exist';
    END IF;
END//
DELIMITER ;

-- A payment from the actor's wallet to another, named by its id or by its owner's phone.
DROP PROCEDURE IF EXISTS post_payment;
DELIMITER //
CREATE PROCEDURE post_payment(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
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
    DECLARE v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_payer_name, v_payee_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payer_status, v_payee_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_payer_tier, v_payee_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_balance, v_held, v_payee_balance, v_max_payment, v_max_balance BIGINT DEFAULT NULL;
    DECLARE v_payer_last, v_payee_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SET v_outcome = NULL;
        SELECT w.id, u.name INTO v_payer_id, v_payer_name
        FROM wallets w JOIN users u ON u.id = w.user_id WHERE w.user_id = p_actor_id;
        IF p_payee_phone IS NOT NULL THEN
            SELECT w.id, u.name INTO v_payee_id, v_payee_name
            FROM users u JOIN wallets w ON w.user_id = u.id WHERE u.phone = p_payee_phone;
        ELSE
            SELECT w.id, u.name INTO v_payee_id, v_payee_name
            FROM wallets w JOIN users u ON u.id = w.user_id WHERE w.id = p_payee_wallet_id;
        END IF;

        IF v_payer_id IS NULL THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_payee_id IS NULL THEN
            SET v_outcome = 'payee_not_found';
        ELSEIF v_payee_id = v_payer_id THEN
            SET v_outcome = 'self_payment';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        -- One lock order for everybody, or two people who pay each other would deadlock. All that decides is read
        -- by the statement that takes the lock, never before it; and it locks the wallet alone (a join would lock
        -- the tier as well, and everybody would queue there).
        IF v_payer_id < v_payee_id THEN
            SELECT status, balance, held, last_entry_at, tier
            INTO v_payer_status, v_balance, v_held, v_payer_last, v_payer_tier
            FROM wallets WHERE id = v_payer_id FOR UPDATE;
        END IF;
        SELECT status, balance, last_entry_at, tier
        INTO v_payee_status, v_payee_balance, v_payee_last, v_payee_tier
        FROM wallets WHERE id = v_payee_id FOR UPDATE;
        IF v_payer_id > v_payee_id THEN
            SELECT status, balance, held, last_entry_at, tier
            INTO v_payer_status, v_balance, v_held, v_payer_last, v_payer_tier
            FROM wallets WHERE id = v_payer_id FOR UPDATE;
        END IF;

        SELECT max_payment INTO v_max_payment FROM tiers WHERE code = v_payer_tier;
        SELECT max_balance INTO v_max_balance FROM tiers WHERE code = v_payee_tier;

        IF v_payee_status = 'closed' THEN
            SET v_outcome = 'payee_not_found';
        ELSEIF v_payer_status <> 'active' OR v_payee_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSEIF p_amount > v_balance - v_held THEN
            SET v_outcome = 'insufficient_funds';
        ELSEIF p_amount > v_max_payment OR p_amount > v_max_balance - v_payee_balance THEN
            SET v_outcome = 'wallet_limit_exceeded'; -- a limit that is NULL compares to NULL: no limit
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        SET v_now = GREATEST(UTC_TIMESTAMP(6), v_payer_last, v_payee_last); -- a wallet's time never runs backwards
        INSERT INTO transactions (id, type, amount, currency, actor_id, description, reference, created_at)
        VALUES (p_transaction_id, 'payment', p_amount, 'INR', p_actor_id, p_description, p_reference, v_now);
        CALL post_entry(p_transaction_id, v_payer_id, v_payee_id, p_amount, v_now);
        -- "+ 0": MariaDB's JSON_OBJECT shows a bare integer variable as a string
        SET v_result = JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'amount', p_amount + 0, 'currency', 'INR',
            'payer_wallet_id', LOWER(HEX(v_payer_id)), 'payer_name', v_payer_name,
            'payee_wallet_id', LOWER(HEX(v_payee_id)), 'payee_name', v_payee_name,
            'description', p_description, 'reference', p_reference,
            'balance', v_balance - p_amount, 'held', v_held + 0,
            'created_at', DATE_FORMAT(v_now, '%Y-%m-%dT%H:%i:%s.%f'));
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SET v_outcome = 'done';
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;
