-- Many payments from one wallet, by a file: what was asked for row by row, and what became of each row. Every row that
-- is paid is an ordinary payment, made in the commit that says so here.
--
-- Locks: idempotency record, bulk payment, its rows, wallets. Who pays a row locks that row and no bulk payment.

-- `leased_until` keeps workers out of one another's way: until then another one has this payer's files. It is a
-- courtesy, not a guard: two workers on one file pay each row once all the same.
CREATE TABLE IF NOT EXISTS bulk_payments (
    id           BINARY(16)   NOT NULL,
    user_id      BINARY(16)   NOT NULL,
    row_count   INT UNSIGNED NOT NULL,
    total        BIGINT       NOT NULL,
    currency     CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status       VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at   DATETIME(6)  NOT NULL,
    finished_at  DATETIME(6)  NULL,
    leased_until DATETIME(6)  NOT NULL,
    CONSTRAINT bulk_payments_pk PRIMARY KEY (id),
    CONSTRAINT bulk_payments_user_exists FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT bulk_payments_pay_something CHECK (row_count > 0 AND total > 0),
    CONSTRAINT bulk_payments_status_is_known CHECK (status IN ('running', 'finished')),
    CONSTRAINT bulk_payments_finish_at_a_time CHECK ((status = 'finished') = (finished_at IS NOT NULL)),
    INDEX bulk_payments_by_lease (status, leased_until)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A row is known by its `line` in the file, whose first one has the names of the columns. A refused row may be tried
-- again, a paid one is paid for good.
CREATE TABLE IF NOT EXISTS bulk_payment_rows (
    bulk_payment_id BINARY(16)   NOT NULL,
    line            INT UNSIGNED NOT NULL,
    payee_wallet_id BINARY(16)   NULL,
    payee_phone     VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    amount          BIGINT       NOT NULL,
    description     VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    reference       VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    status          VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    refusal         VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    transaction_id  BINARY(16)   NULL,
    ended_at        DATETIME(6)  NULL,
    CONSTRAINT bulk_payment_rows_pk PRIMARY KEY (bulk_payment_id, line),
    CONSTRAINT bulk_payment_rows_belong_to_one FOREIGN KEY (bulk_payment_id) REFERENCES bulk_payments (id),
    CONSTRAINT bulk_payment_rows_transaction_exists FOREIGN KEY (transaction_id) REFERENCES transactions (id),
    CONSTRAINT bulk_payment_rows_pay_with_their_own UNIQUE (transaction_id),
    CONSTRAINT bulk_payment_rows_name_one_payee CHECK ((payee_wallet_id IS NULL) <> (payee_phone IS NULL)),
    CONSTRAINT bulk_payment_rows_amount_is_positive CHECK (amount > 0),
    CONSTRAINT bulk_payment_rows_status_is_known CHECK (status IN ('waiting', 'paid', 'refused')),
    CONSTRAINT bulk_payment_rows_paid_by_a_transaction CHECK ((status = 'paid') = (transaction_id IS NOT NULL)),
    CONSTRAINT bulk_payment_rows_refused_for_a_reason CHECK ((status = 'refused') = (refusal IS NOT NULL)),
    CONSTRAINT bulk_payment_rows_end_at_a_time CHECK ((status = 'waiting') = (ended_at IS NULL)),
    INDEX bulk_payment_rows_by_status (bulk_payment_id, status, line)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS bulk_payment_rows_are_paid_once;
DELIMITER //
CREATE TRIGGER bulk_payment_rows_are_paid_once BEFORE UPDATE ON bulk_payment_rows FOR EACH ROW
BEGIN
    IF OLD.status = 'paid' OR NOT (
            NEW.bulk_payment_id = OLD.bulk_payment_id AND NEW.line = OLD.line AND NEW.amount = OLD.amount
            AND NEW.payee_wallet_id <=> OLD.payee_wallet_id AND NEW.payee_phone <=> OLD.payee_phone
            AND NEW.description <=> OLD.description AND NEW.reference <=> OLD.reference) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a row that is paid does not change, nor what a row asks for';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS bulk_payment_rows_are_kept;
CREATE TRIGGER bulk_payment_rows_are_kept BEFORE DELETE ON bulk_payment_rows FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the rows of a bulk payment are kept';

-- Takes a file in, whole, or not at all; nothing is paid here. `p_rows` is a JSON array with an array for each row:
-- its line, the payee's wallet (hexadecimal), the payee's phone, amount, description, reference.
DROP PROCEDURE IF EXISTS open_bulk_payment;
DELIMITER //
CREATE PROCEDURE open_bulk_payment(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_bulk_payment_id BINARY(16),
    IN p_row_count INT UNSIGNED,
    IN p_total BIGINT,
    IN p_rows LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' AND NOT EXISTS (SELECT 1 FROM wallets WHERE user_id = p_actor_id) THEN
        SET v_outcome = 'invalid_token';
    END IF;

    IF v_outcome = 'claimed' THEN
        INSERT INTO bulk_payments (id, user_id, row_count, total, currency, status, created_at, leased_until)
        VALUES (p_bulk_payment_id, p_actor_id, p_row_count, p_total, 'INR', 'running', v_now, v_now);
        INSERT INTO bulk_payment_rows
            (bulk_payment_id, line, payee_wallet_id, payee_phone, amount, description, reference, status)
        SELECT p_bulk_payment_id, told.line, UNHEX(told.wallet_id), told.phone, told.amount, told.description,
               told.reference, 'waiting'
        FROM JSON_TABLE(p_rows, '$[*]' COLUMNS (
            line        INT          PATH '$[0]' ERROR ON ERROR,
            wallet_id   VARCHAR(32)  PATH '$[1]' ERROR ON ERROR,
            phone       VARCHAR(16)  PATH '$[2]' ERROR ON ERROR,
            amount      BIGINT       PATH '$[3]' ERROR ON ERROR,
            description VARCHAR(200) PATH '$[4]' ERROR ON ERROR,
            reference   VARCHAR(64)  PATH '$[5]' ERROR ON ERROR)) told;
        IF ROW_COUNT() <> p_row_count THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a bulk payment has as many rows as it says';
        END IF;
        -- "+ 0": MariaDB's JSON_OBJECT shows a bare integer variable as a string
        SET v_result = JSON_OBJECT(
            'bulk_payment_id', LOWER(HEX(p_bulk_payment_id)), 'row_count', p_row_count + 0, 'total', p_total + 0,
            'currency', 'INR', 'created_at', DATE_FORMAT(v_now, '%Y-%m-%dT%H:%i:%s.%f'));
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SET v_outcome = 'done';
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- Puts every row that has been refused back among the waiting ones, once per key.
DROP PROCEDURE IF EXISTS retry_bulk_payment;
DELIMITER //
CREATE PROCEDURE retry_bulk_payment(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_bulk_payment_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_retried BIGINT DEFAULT 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT status INTO v_status FROM bulk_payments
        WHERE id = p_bulk_payment_id AND user_id = p_actor_id FOR UPDATE;
        IF v_status IS NULL THEN
            SET v_outcome = 'not_found';
        END IF;
    END IF;

    IF v_outcome = 'claimed' THEN
        UPDATE bulk_payment_rows SET status = 'waiting', refusal = NULL, ended_at = NULL
        WHERE bulk_payment_id = p_bulk_payment_id AND status = 'refused';
        SET v_retried = ROW_COUNT();
        IF v_retried > 0 AND v_status = 'finished' THEN
            SET v_status = 'running';
            UPDATE bulk_payments SET status = v_status, finished_at = NULL WHERE id = p_bulk_payment_id;
        END IF;
        SET v_result = JSON_OBJECT(
            'bulk_payment_id', LOWER(HEX(p_bulk_payment_id)), 'status', v_status, 'retried', v_retried + 0);
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SET v_outcome = 'done';
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- For a worker: the bulk payment that has waited longest, since it came in or since somebody worked on it; that nobody
-- works on, and of whose payer nobody works on another one (all payments of a payer queue on one wallet), leased for so
-- many seconds; 'done' without a result if there is none. One with rows that can't be paid goes behind all others.
DROP PROCEDURE IF EXISTS claim_bulk_payment;
DELIMITER //
CREATE PROCEDURE claim_bulk_payment(IN p_lease_seconds INT)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_claimed BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    REPEAT
        SET v_id = NULL;
        SELECT b.id INTO v_id FROM bulk_payments b
        WHERE b.status = 'running' AND NOT EXISTS (
            SELECT 1 FROM bulk_payments other
            WHERE other.user_id = b.user_id AND other.status = 'running' AND other.leased_until > v_now)
        ORDER BY b.leased_until, b.created_at LIMIT 1;
        IF v_id IS NOT NULL THEN
            UPDATE bulk_payments SET leased_until = v_now + INTERVAL p_lease_seconds SECOND
            WHERE id = v_id AND status = 'running' AND leased_until <= v_now;
            SET v_claimed = ROW_COUNT() = 1; -- or another worker was faster, and there may be a next one
        END IF;
    UNTIL v_claimed OR v_id IS NULL END REPEAT;
    COMMIT;
    SELECT 'done' AS outcome, IF(v_id IS NULL, NULL, JSON_OBJECT('bulk_payment_id', LOWER(HEX(v_id)))) AS result;
END//
DELIMITER ;

-- For a worker, behind some rows: finishes the bulk payment if none waits any more, else extends the lease, by 0
-- seconds to give it back.
DROP PROCEDURE IF EXISTS continue_bulk_payment;
DELIMITER //
CREATE PROCEDURE continue_bulk_payment(IN p_bulk_payment_id BINARY(16), IN p_lease_seconds INT)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT status INTO v_status FROM bulk_payments WHERE id = p_bulk_payment_id FOR UPDATE;
    IF v_status = 'running' THEN
        -- behind the lock: a retry takes it too, so no row begins to wait between this look and the commit
        SET v_status = IF(EXISTS (
            SELECT 1 FROM bulk_payment_rows
            WHERE bulk_payment_id = p_bulk_payment_id AND status = 'waiting'), 'running', 'finished');
        UPDATE bulk_payments
        SET status = v_status, finished_at = IF(v_status = 'finished', v_now, NULL),
            leased_until = v_now + INTERVAL IF(v_status = 'finished', 0, p_lease_seconds) SECOND
        WHERE id = p_bulk_payment_id;
    END IF;
    COMMIT;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- Pays one row, or finds that it has been paid or refused already. Its payment and what is written here of it are one
-- commit, and the row's lock lets one caller at a time at it. A refusal undoes all that the payment began (holds that
-- were ended, slots that were gathered), and is written down.
DROP PROCEDURE IF EXISTS pay_bulk_row;
DELIMITER //
CREATE PROCEDURE pay_bulk_row(
    IN p_bulk_payment_id BINARY(16),
    IN p_line INT UNSIGNED,
    IN p_transaction_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_refusal, v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_unused TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_actor_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount BIGINT DEFAULT NULL;
    DECLARE v_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_reference VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT user_id INTO v_actor_id FROM bulk_payments WHERE id = p_bulk_payment_id;
    SELECT status, refusal, payee_wallet_id, payee_phone, amount, description, reference
    INTO v_status, v_refusal, v_payee_id, v_phone, v_amount, v_description, v_reference
    FROM bulk_payment_rows WHERE bulk_payment_id = p_bulk_payment_id AND line = p_line FOR UPDATE;

    IF v_status = 'waiting' THEN
        SAVEPOINT before_the_payment;
        CALL pay(v_actor_id, p_transaction_id, v_payee_id, v_phone, v_amount, v_description, v_reference, v_outcome,
                 v_unused);
        IF v_outcome = 'done' THEN
            SET v_status = 'paid';
        ELSE
            ROLLBACK TO SAVEPOINT before_the_payment;
            SET v_status = 'refused';
            SET v_refusal = v_outcome;
        END IF;
        UPDATE bulk_payment_rows
        SET status = v_status, refusal = v_refusal, transaction_id = IF(v_status = 'paid', p_transaction_id, NULL),
            ended_at = UTC_TIMESTAMP(6)
        WHERE bulk_payment_id = p_bulk_payment_id AND line = p_line;
    END IF;
    COMMIT;
    SELECT IF(v_status IS NULL, 'not_found', 'done') AS outcome,
           JSON_OBJECT('status', v_status, 'refusal', v_refusal) AS result;
END//
DELIMITER ;
