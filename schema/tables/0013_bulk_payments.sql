-- Many payments from one wallet, by a file: what was asked for row by row, and what became of each row. Every row that
-- is paid is an ordinary payment, made in the commit that says so here.
--
-- Locks: idempotency record, bulk payment, its rows, wallets. Who pays a row locks that row and no bulk payment.

-- `leased_until` keeps workers out of one another's way: until then another one has this payer's files. It is a
-- courtesy, not a guard: two workers on one file pay each row once all the same.
CREATE TABLE IF NOT EXISTS bulk_payments (
    id           BINARY(16)   NOT NULL,
    user_id      BINARY(16)   NOT NULL,
    row_count    INT UNSIGNED NOT NULL,
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
    INDEX bulk_payments_by_lease (status, leased_until),
    INDEX bulk_payments_of_user (user_id, status)
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

-- What each retry of a bulk payment did: so many of its rows wait again, and how it stood then. Its key refers to it.
CREATE TABLE IF NOT EXISTS bulk_payment_retries (
    id              BINARY(16)   NOT NULL,
    bulk_payment_id BINARY(16)   NOT NULL,
    status          VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    retried         INT UNSIGNED NOT NULL,
    created_at      DATETIME(6)  NOT NULL,
    CONSTRAINT bulk_payment_retries_pk PRIMARY KEY (id),
    CONSTRAINT bulk_payment_retries_belong_to_one FOREIGN KEY (bulk_payment_id) REFERENCES bulk_payments (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS bulk_payment_retries_are_not_changed;
CREATE TRIGGER bulk_payment_retries_are_not_changed BEFORE UPDATE ON bulk_payment_retries FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what a retry did does not change';

DROP TRIGGER IF EXISTS bulk_payment_retries_are_kept;
CREATE TRIGGER bulk_payment_retries_are_kept BEFORE DELETE ON bulk_payment_retries FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the retries of a bulk payment are kept';

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
