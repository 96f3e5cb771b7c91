-- Money across: payments, their refunds, and holds (payments in two steps). See 0005 for the words and the locks.

-- Internal. The wallet that a payee is named by: its id, or its owner's phone. `p_kind` is 'merchant' only with a tier for
-- merchants: what people say of themselves lifts no limit.
DROP PROCEDURE IF EXISTS find_payee;
DELIMITER //
CREATE PROCEDURE find_payee(
    IN p_wallet_id BINARY(16),
    IN p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_payee_id BINARY(16),
    OUT p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
)
READS SQL DATA
BEGIN
    IF p_phone IS NOT NULL THEN
        SELECT w.id, u.name, IF(t.for_merchants, u.kind, 'personal') INTO p_payee_id, p_name, p_kind
        FROM users u JOIN wallets w ON w.user_id = u.id JOIN tiers t ON t.code = w.tier WHERE u.phone = p_phone;
    ELSE
        SELECT w.id, u.name, IF(t.for_merchants, u.kind, 'personal') INTO p_payee_id, p_name, p_kind
        FROM wallets w JOIN users u ON u.id = w.user_id JOIN tiers t ON t.code = w.tier WHERE w.id = p_wallet_id;
    END IF;
END//
DELIMITER ;

-- Internal. A payment from the actor's wallet to another, named by its id or by its owner's phone, inside the caller's
-- atomic block: 'done', or the code of a refusal, and then it is the caller who rolls back what this has done.
DROP PROCEDURE IF EXISTS pay;
DELIMITER //
CREATE PROCEDURE pay(
    IN p_actor_id BINARY(16),
    IN p_transaction_id BINARY(16),
    IN p_payee_wallet_id BINARY(16),
    IN p_payee_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reference VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_payer_name, v_payee_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payee_kind, v_payer_status, v_payee_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_payer_tier, v_payee_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_balance, v_held, v_payee_balance, v_fee BIGINT DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_exceeded, v_flag, v_person_to_person BOOLEAN DEFAULT FALSE;
    DECLARE v_payer_last, v_payee_last, v_now DATETIME(6) DEFAULT NULL;

    SET p_outcome = NULL;
    SET p_result = NULL;
    SELECT w.id, u.name INTO v_payer_id, v_payer_name
    FROM wallets w JOIN users u ON u.id = w.user_id WHERE w.user_id = p_actor_id;
    CALL find_payee(p_payee_wallet_id, p_payee_phone, v_payee_id, v_payee_name, v_payee_kind);
    IF v_payer_id IS NULL THEN
        SET p_outcome = 'invalid_token';
    ELSEIF v_payee_id IS NULL THEN
        SET p_outcome = 'payee_not_found';
    ELSEIF v_payee_id = v_payer_id THEN
        SET p_outcome = 'self_payment';
    END IF;

    IF p_outcome IS NULL THEN
        -- one lock order for everybody, or two people who pay each other would deadlock
        IF v_payer_id < v_payee_id THEN
            CALL lock_debit(v_payer_id, p_amount, p_transaction_id, v_payer_status, v_payer_tier, v_balance, v_held,
                            v_payer_last);
        END IF;
        CALL lock_credit(v_payee_id, v_payee_kind = 'merchant', v_slot, v_payee_status, v_payee_tier, v_payee_balance,
                         v_payee_last);
        IF v_payer_id > v_payee_id THEN
            CALL lock_debit(v_payer_id, p_amount, p_transaction_id, v_payer_status, v_payer_tier, v_balance, v_held,
                            v_payer_last);
        END IF;
        -- a wallet's time never runs backwards, and no two of its entries have the same
        SET v_now = GREATEST(
            UTC_TIMESTAMP(6), v_payer_last + INTERVAL 1 MICROSECOND, v_payee_last + INTERVAL 1 MICROSECOND);

        IF v_payee_status = 'closed' THEN
            SET p_outcome = 'payee_not_found';
        ELSEIF v_payer_status <> 'active' OR v_payee_status <> 'active' THEN
            SET p_outcome = 'wallet_frozen';
        ELSEIF p_amount > v_balance - v_held THEN
            SET p_outcome = 'insufficient_funds';
        ELSE
            CALL refuse_debit(v_payer_id, v_payer_tier, p_amount, v_now, v_exceeded, v_person_to_person, v_flag);
            CALL refuse_credit(v_payee_id, v_payee_tier, v_payee_balance, p_amount, v_payee_kind = 'personal', v_now,
                               v_reason);
            IF v_exceeded OR v_reason IS NOT NULL OR (v_payee_kind = 'personal' AND NOT v_person_to_person) THEN
                SET p_outcome = 'wallet_limit_exceeded';
            END IF;
        END IF;
    END IF;

    IF p_outcome IS NULL THEN
        INSERT INTO transactions (id, type, amount, currency, actor_id, description, reference, created_at)
        VALUES (p_transaction_id, 'payment', p_amount, 'INR', p_actor_id, p_description, p_reference, v_now);
        CALL post_entry(p_transaction_id, v_payer_id, 0, v_payee_id, v_slot, p_amount, v_now);
        CALL count_debit(v_payer_id, p_amount, v_now);
        IF v_payee_kind = 'merchant' THEN
            CALL charge_payee(p_transaction_id, v_payee_id, v_slot, p_amount, v_now, v_fee);
        ELSE
            CALL count_load(v_payee_id, p_amount, v_now);
        END IF;
        CALL note_event(v_payer_id, v_payee_id, 'PaymentCompleted', JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'payer_wallet_id', LOWER(HEX(v_payer_id)),
            'payee_wallet_id', LOWER(HEX(v_payee_id)), 'amount', p_amount + 0, 'currency', 'INR',
            'description', p_description, 'reference', p_reference, 'fee', COALESCE(v_fee, 0)), v_now);
        -- "+ 0": MariaDB's JSON_OBJECT shows a bare integer variable as a string
        SET p_result = JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'amount', p_amount + 0, 'currency', 'INR',
            'payer_wallet_id', LOWER(HEX(v_payer_id)), 'payer_name', v_payer_name,
            'payee_wallet_id', LOWER(HEX(v_payee_id)), 'payee_name', v_payee_name,
            'description', p_description, 'reference', p_reference,
            'balance', v_balance - p_amount, 'held', v_held + 0,
            'created_at', DATE_FORMAT(v_now, '%Y-%m-%dT%H:%i:%s.%f'));
        SET p_outcome = 'done';
    END IF;
END//
DELIMITER ;

-- A payment that somebody asks for.
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
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL pay(p_actor_id, p_transaction_id, p_payee_wallet_id, p_payee_phone, p_amount, p_description, p_reference,
                 v_outcome, v_result);
    END IF;
    IF v_outcome = 'done' THEN
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- A payment, or a part of it (`p_amount` NULL: what is left), back from its payee to its payer. All refunds of a payment
-- debit the same wallet, so that wallet's lock is what counts them. The payer's caps don't matter: it was theirs.
DROP PROCEDURE IF EXISTS refund_payment;
DELIMITER //
CREATE PROCEDURE refund_payment(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_transaction_id BINARY(16),
    IN p_payment_id BINARY(16),
    IN p_amount BIGINT,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_payer_status, v_payee_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_paid, v_refunded, v_amount, v_balance, v_held, v_unused BIGINT DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_payer_last, v_payee_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SELECT NULL, t.amount, debit.account_id, credit.account_id INTO v_outcome, v_paid, v_payer_id, v_payee_id
        FROM transactions t
        JOIN postings debit ON debit.transaction_id = t.id AND debit.line = 1
        JOIN postings credit ON credit.transaction_id = t.id AND credit.line = 2
        JOIN wallets payee ON payee.id = credit.account_id
        WHERE t.id = p_payment_id AND t.type IN ('payment', 'hold_capture') AND payee.user_id = p_actor_id;
        IF v_paid IS NULL THEN
            SET v_outcome = 'not_found';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        IF v_payer_id < v_payee_id THEN
            CALL lock_credit(v_payer_id, FALSE, v_slot, v_payer_status, v_tier, v_unused, v_payer_last);
        END IF;
        CALL lock_debit(v_payee_id, COALESCE(p_amount, v_paid), p_transaction_id, v_payee_status, v_tier, v_balance,
                        v_held, v_payee_last);
        IF v_payer_id > v_payee_id THEN
            CALL lock_credit(v_payer_id, FALSE, v_slot, v_payer_status, v_tier, v_unused, v_payer_last);
        END IF;
        SELECT COALESCE(SUM(amount), 0) INTO v_refunded FROM transactions WHERE cause_id = p_payment_id AND type = 'refund';
        SET v_amount = COALESCE(p_amount, v_paid - v_refunded);
        IF v_payee_status <> 'active' OR v_payer_status = 'closed' THEN
            SET v_outcome = 'wallet_frozen';
        ELSEIF v_amount > v_paid - v_refunded OR v_amount <= 0 THEN
            SET v_outcome = 'refund_exceeds_payment';
        ELSEIF v_amount > v_balance - v_held THEN
            SET v_outcome = 'insufficient_funds';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        SET v_now = GREATEST(
            UTC_TIMESTAMP(6), v_payer_last + INTERVAL 1 MICROSECOND, v_payee_last + INTERVAL 1 MICROSECOND);
        INSERT INTO transactions (id, type, amount, currency, actor_id, description, cause_id, created_at)
        VALUES (p_transaction_id, 'refund', v_amount, 'INR', p_actor_id, p_reason, p_payment_id, v_now);
        CALL post_entry(p_transaction_id, v_payee_id, 0, v_payer_id, v_slot, v_amount, v_now);
        CALL note_event(v_payee_id, v_payer_id, 'PaymentRefunded', JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'payment_id', LOWER(HEX(p_payment_id)),
            'payer_wallet_id', LOWER(HEX(v_payer_id)), 'payee_wallet_id', LOWER(HEX(v_payee_id)),
            'amount', v_amount + 0, 'currency', 'INR', 'reason', p_reason), v_now);
        SET v_result = JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'payment_id', LOWER(HEX(p_payment_id)),
            'amount', v_amount + 0, 'currency', 'INR', 'reason', p_reason,
            'refunded', v_refunded + v_amount, 'balance', v_balance - v_amount, 'held', v_held + 0,
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

-- Internal. A hold as both its sides are told of it.
DROP PROCEDURE IF EXISTS tell_hold;
DELIMITER //
CREATE PROCEDURE tell_hold(
    IN p_hold_id BINARY(16),
    IN p_transaction_id BINARY(16),
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
READS SQL DATA
BEGIN
    SELECT JSON_OBJECT(
        'hold_id', LOWER(HEX(h.id)), 'status', h.status, 'amount', h.amount, 'captured', h.captured,
        'currency', h.currency, 'description', h.description,
        'payer_wallet_id', LOWER(HEX(h.payer_wallet_id)), 'payer_name', payer.name,
        'payee_wallet_id', LOWER(HEX(h.payee_wallet_id)), 'payee_name', payee.name,
        'transaction_id', LOWER(HEX(p_transaction_id)),
        'created_at', DATE_FORMAT(h.created_at, '%Y-%m-%dT%H:%i:%s.%f'),
        'expires_at', DATE_FORMAT(h.expires_at, '%Y-%m-%dT%H:%i:%s.%f'))
    INTO p_result
    FROM holds h
    JOIN wallets payer_wallet ON payer_wallet.id = h.payer_wallet_id
    JOIN wallets payee_wallet ON payee_wallet.id = h.payee_wallet_id
    JOIN users payer ON payer.id = payer_wallet.user_id
    JOIN users payee ON payee.id = payee_wallet.user_id
    WHERE h.id = p_hold_id;
END//
DELIMITER ;

-- Promises a part of the actor's wallet to another: it stays there and is no longer available. The payer's limits are
-- checked and counted now, for the capture is the payee's to ask for. A payer has 1,000 holds at most: whoever debits a
-- wallet ends all that have lapsed, and may be holding the lock of a shop that everybody pays meanwhile.
DROP PROCEDURE IF EXISTS place_hold;
DELIMITER //
CREATE PROCEDURE place_hold(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
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
    DECLARE v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_payee_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payee_kind, v_status, v_payee_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier, v_payee_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_balance, v_held, v_max_balance, v_payee_balance, v_placed, v_unused BIGINT DEFAULT NULL;
    DECLARE v_exceeded, v_flag, v_person_to_person BOOLEAN DEFAULT FALSE;
    DECLARE v_last, v_now, v_expires_at DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SET v_outcome = NULL;
        SELECT id INTO v_payer_id FROM wallets WHERE user_id = p_actor_id;
        CALL find_payee(p_payee_wallet_id, p_payee_phone, v_payee_id, v_payee_name, v_payee_kind);
        IF v_payer_id IS NULL THEN
            SET v_outcome = 'invalid_token';
        ELSEIF v_payee_id IS NULL THEN
            SET v_outcome = 'payee_not_found';
        ELSEIF v_payee_id = v_payer_id THEN
            SET v_outcome = 'self_payment';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        CALL lock_debit(v_payer_id, p_amount, p_hold_id, v_status, v_tier, v_balance, v_held, v_last);
        -- no lock: what the payee may take is checked again, under the lock, when the money is captured
        SELECT status, tier, balance INTO v_payee_status, v_payee_tier, v_payee_balance
        FROM wallets WHERE id = v_payee_id;
        SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last);
        -- of the clock that will end it, which may be behind the wallet's own time
        SET v_expires_at = UTC_TIMESTAMP(6) + INTERVAL p_valid_seconds SECOND;
        CALL limits_of(v_payee_tier, v_now, v_max_balance, v_unused, v_unused, v_unused, v_unused, v_unused, v_unused,
                       v_flag, v_flag);
        CALL refuse_debit(v_payer_id, v_tier, p_amount, v_now, v_exceeded, v_person_to_person, v_flag);
        SELECT COUNT(*) INTO v_placed FROM holds WHERE payer_wallet_id = v_payer_id AND status = 'placed';
        IF v_payee_status = 'closed' THEN
            SET v_outcome = 'payee_not_found';
        ELSEIF v_status <> 'active' OR v_payee_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSEIF p_amount > v_balance - v_held THEN
            SET v_outcome = 'insufficient_funds';
        ELSEIF v_exceeded OR v_placed >= 1000 OR (v_payee_kind = 'personal' AND NOT v_person_to_person)
            OR p_amount > v_max_balance - v_payee_balance THEN
            SET v_outcome = 'wallet_limit_exceeded';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        INSERT INTO holds (id, payer_wallet_id, payee_wallet_id, amount, captured, currency, status, description,
                           created_at, expires_at, ended_at)
        VALUES (p_hold_id, v_payer_id, v_payee_id, p_amount, 0, 'INR', 'placed', p_description, v_now,
                v_expires_at, NULL);
        CALL set_aside(v_payer_id, p_amount, 'hold', p_hold_id, v_now);
        CALL count_debit(v_payer_id, p_amount, v_now);
        CALL note_event(v_payer_id, v_payee_id, 'HoldPlaced', JSON_OBJECT(
            'hold_id', LOWER(HEX(p_hold_id)), 'payer_wallet_id', LOWER(HEX(v_payer_id)),
            'payee_wallet_id', LOWER(HEX(v_payee_id)), 'amount', p_amount + 0, 'currency', 'INR',
            'description', p_description,
            'expires_at', DATE_FORMAT(v_expires_at, '%Y-%m-%dT%H:%i:%s.%f')), v_now);
        CALL tell_hold(p_hold_id, NULL, v_result);
        SET v_result = JSON_SET(v_result, '$.balance', v_balance + 0, '$.held', v_held + p_amount);
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SET v_outcome = 'done';
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- Takes what was promised, or a part (`p_amount` NULL: all that is left). `p_final` frees what is left behind it, and is
-- what a capture of everything always is. A hold whose time has passed is none, whether or not the sweep has been.
DROP PROCEDURE IF EXISTS capture_hold;
DELIMITER //
CREATE PROCEDURE capture_hold(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_transaction_id BINARY(16),
    IN p_hold_id BINARY(16),
    IN p_amount BIGINT,
    IN p_final BOOLEAN
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_kind, v_payer_status, v_payee_status, v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_payer_tier, v_payee_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount, v_left, v_balance, v_held, v_payee_balance, v_fee BIGINT DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_payer_last, v_payee_last, v_expires_at, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);

    IF v_outcome = 'claimed' THEN
        SELECT NULL, h.payer_wallet_id, h.payee_wallet_id, IF(t.for_merchants, u.kind, 'personal')
        INTO v_outcome, v_payer_id, v_payee_id, v_kind
        FROM holds h
        JOIN wallets payee ON payee.id = h.payee_wallet_id
        JOIN users u ON u.id = payee.user_id
        JOIN tiers t ON t.code = payee.tier
        WHERE h.id = p_hold_id AND payee.user_id = p_actor_id;
        IF v_payer_id IS NULL THEN
            SET v_outcome = 'not_found';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        -- what is held is in the payer's own row already: nothing is needed beyond it
        IF v_payer_id < v_payee_id THEN
            CALL lock_debit(v_payer_id, 0, p_transaction_id, v_payer_status, v_payer_tier, v_balance, v_held,
                            v_payer_last);
        END IF;
        CALL lock_credit(v_payee_id, v_kind = 'merchant', v_slot, v_payee_status, v_payee_tier, v_payee_balance,
                         v_payee_last);
        IF v_payer_id > v_payee_id THEN
            CALL lock_debit(v_payer_id, 0, p_transaction_id, v_payer_status, v_payer_tier, v_balance, v_held,
                            v_payer_last);
        END IF;
        SELECT status, amount - captured, expires_at INTO v_status, v_left, v_expires_at
        FROM holds WHERE id = p_hold_id FOR UPDATE;
        SET v_amount = COALESCE(p_amount, v_left);
        SET v_now = GREATEST(
            UTC_TIMESTAMP(6), v_payer_last + INTERVAL 1 MICROSECOND, v_payee_last + INTERVAL 1 MICROSECOND);
        CALL refuse_credit(v_payee_id, v_payee_tier, v_payee_balance, v_amount, v_kind = 'personal', v_now, v_reason);
        IF v_status <> 'placed' OR v_expires_at <= UTC_TIMESTAMP(6) THEN
            SET v_outcome = 'hold_not_placed';
        ELSEIF v_amount > v_left THEN
            SET v_outcome = 'capture_exceeds_hold';
        ELSEIF v_payer_status <> 'active' OR v_payee_status <> 'active' THEN
            SET v_outcome = 'wallet_frozen';
        ELSEIF v_reason IS NOT NULL THEN
            SET v_outcome = 'wallet_limit_exceeded';
        END IF;
    END IF;

    IF v_outcome IS NULL THEN
        CALL set_aside(v_payer_id, -v_amount, 'hold', p_hold_id, v_now);
        UPDATE holds SET captured = captured + v_amount WHERE id = p_hold_id;
        INSERT INTO transactions (id, type, amount, currency, actor_id, description, hold_id, created_at)
        SELECT p_transaction_id, 'hold_capture', v_amount, 'INR', p_actor_id, description, p_hold_id, v_now
        FROM holds WHERE id = p_hold_id;
        CALL post_entry(p_transaction_id, v_payer_id, 0, v_payee_id, v_slot, v_amount, v_now);
        IF v_kind = 'merchant' THEN
            CALL charge_payee(p_transaction_id, v_payee_id, v_slot, v_amount, v_now, v_fee);
        ELSE
            CALL count_load(v_payee_id, v_amount, v_now);
        END IF;
        IF p_final OR v_amount = v_left THEN
            CALL end_hold(p_hold_id, 'captured', v_now);
        END IF;
        CALL note_event(v_payer_id, v_payee_id, 'HoldCaptured', JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'hold_id', LOWER(HEX(p_hold_id)),
            'payer_wallet_id', LOWER(HEX(v_payer_id)), 'payee_wallet_id', LOWER(HEX(v_payee_id)),
            'amount', v_amount + 0, 'currency', 'INR', 'fee', COALESCE(v_fee, 0)), v_now);
        CALL tell_hold(p_hold_id, p_transaction_id, v_result);
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SET v_outcome = 'done';
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- Frees what is left of a hold: its payee at any time, its payer once its time has passed. One that has expired already
-- is what the caller wants.
DROP PROCEDURE IF EXISTS release_hold;
DELIMITER //
CREATE PROCEDURE release_hold(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_hold_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payer_id, v_payer_user, v_payee_user, v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
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
        SET v_now = UTC_TIMESTAMP(6);
        IF v_status = 'placed' AND v_expires_at <= v_now THEN
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
END//
DELIMITER ;

-- Ends a hold whose time has passed: the sweep's work, one hold a commit.
DROP PROCEDURE IF EXISTS expire_hold;
DELIMITER //
CREATE PROCEDURE expire_hold(IN p_hold_id BINARY(16))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_payer_id, v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_due BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT payer_wallet_id INTO v_payer_id FROM holds WHERE id = p_hold_id;
    SELECT id INTO v_locked FROM wallets WHERE id = v_payer_id FOR UPDATE;
    SELECT status = 'placed' AND expires_at <= UTC_TIMESTAMP(6) INTO v_due FROM holds WHERE id = p_hold_id FOR UPDATE;
    IF v_due THEN
        CALL end_hold(p_hold_id, 'expired', UTC_TIMESTAMP(6));
    END IF;
    COMMIT;
    SELECT IF(v_due, 'done', 'ended_before') AS outcome, NULL AS result;
END//
DELIMITER ;
