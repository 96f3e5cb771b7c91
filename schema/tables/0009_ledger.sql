-- The ledger: what happened to money. Append-only, double entry. Amounts are minor units of `currency`.

-- An account is a wallet (the same id) or one of ours. Ours have no balance row: every top-up would queue on it.
CREATE TABLE IF NOT EXISTS accounts (
    id         BINARY(16)  NOT NULL,
    code       VARCHAR(48) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT accounts_pk PRIMARY KEY (id),
    CONSTRAINT accounts_code_is_unique UNIQUE (code),
    CONSTRAINT accounts_kind_is_known 
        CHECK (kind IN ('wallet', 'gateway', 'payout', 'fees', 'suspense', 'losses', 'unclaimed'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- `losses` is what we bear ourselves: chargebacks that no wallet covered. `unclaimed`: what closed wallets left.
INSERT IGNORE INTO accounts (id, code, kind, created_at) VALUES
    (UNHEX('00000000000070008000000000000001'), 'suspense', 'suspense', UTC_TIMESTAMP(6)),
    (UNHEX('00000000000070008000000000000002'), 'gateway:razorpay', 'gateway', UTC_TIMESTAMP(6)),
    (UNHEX('00000000000070008000000000000003'), 'gateway:cashfree', 'gateway', UTC_TIMESTAMP(6)),
    (UNHEX('00000000000070008000000000000004'), 'payout:razorpayx', 'payout', UTC_TIMESTAMP(6)),
    (UNHEX('00000000000070008000000000000005'), 'fees', 'fees', UTC_TIMESTAMP(6)),
    (UNHEX('00000000000070008000000000000006'), 'losses', 'losses', UTC_TIMESTAMP(6)),
    (UNHEX('00000000000070008000000000000007'), 'unclaimed', 'unclaimed', UTC_TIMESTAMP(6));

-- What every transaction has. What only some types have is in a table of theirs below, with one row for each transaction of
-- these types, so that a payment fills no index with nothing. `cause_id` is the transaction that this one follows from: a
-- refund's payment, a fee's payment or withdrawal, what a refund to source gives back, what an adjustment corrects. That it is
-- there the procedures see to and the audit promises: a foreign key of a table to itself costs MySQL as much for each row as three
-- indexes. A `gather` moves money between the slots of one wallet.
CREATE TABLE IF NOT EXISTS transactions (
    id          BINARY(16)   NOT NULL,
    type        VARCHAR(20)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount      BIGINT       NOT NULL,
    currency    CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    actor_id    BINARY(16)   NULL,
    description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    reference   VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    cause_id    BINARY(16)   NULL,
    created_at  DATETIME(6)  NOT NULL,
    CONSTRAINT transactions_pk PRIMARY KEY (id),
    CONSTRAINT transactions_follow_a_cause
        CHECK (type NOT IN ('refund', 'withdrawal_return', 'refund_to_source', 'fee') OR cause_id IS NOT NULL),
    CONSTRAINT transactions_amount_is_positive CHECK (amount > 0),
    CONSTRAINT transactions_type_is_known CHECK (type IN (
        'top_up', 'payment', 'suspense', 'refund', 'hold_capture', 'withdrawal', 'withdrawal_return',
        'refund_to_source', 'fee', 'adjustment', 'gather', 'chargeback', 'chargeback_reversal')),
    INDEX transactions_by_cause (cause_id, type)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A gateway's payment, of each `top_up` and `suspense`: one transaction, for ever. What stands behind it is the stored event
-- that told of it, or what the gateway said of it when we asked (`answer`, as it was said, and the SHA-256 of that).
-- `surcharge` is what the payer paid on top of the transaction's amount, and the gateway keeps; minor units, the tax in it.
-- By time payments are found here: ids are made by callers.
CREATE TABLE IF NOT EXISTS gateway_payments (
    gateway            VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gateway_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    transaction_id     BINARY(16)  NOT NULL,
    attempt_id         BINARY(16)  NULL,
    suspense_reason    VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
    event_id           BINARY(16)  NULL,
    answer             MEDIUMBLOB  NULL,
    answer_digest      BINARY(32)  NULL,
    surcharge          BIGINT      NOT NULL,
    created_at         DATETIME(6) NOT NULL,
    CONSTRAINT gateway_payments_pk PRIMARY KEY (gateway, gateway_payment_id),
    CONSTRAINT gateway_payments_are_booked_once UNIQUE (transaction_id),
    CONSTRAINT gateway_payments_transaction_exists FOREIGN KEY (transaction_id) REFERENCES transactions (id),
    CONSTRAINT gateway_payments_attempt_exists FOREIGN KEY (attempt_id) REFERENCES payment_attempts (id),
    CONSTRAINT gateway_payments_event_exists FOREIGN KEY (event_id) REFERENCES gateway_events (id),
    CONSTRAINT gateway_payments_have_evidence CHECK ((event_id IS NULL) <> (answer IS NULL)),
    CONSTRAINT gateway_payments_answer_has_its_digest CHECK ((answer IS NULL) = (answer_digest IS NULL)),
    CONSTRAINT gateway_payments_surcharge_is_not_negative CHECK (surcharge >= 0),
    INDEX gateway_payments_in_suspense (suspense_reason),
    INDEX gateway_payments_by_time (created_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The hold of each `hold_capture`.
CREATE TABLE IF NOT EXISTS hold_captures (
    transaction_id BINARY(16) NOT NULL,
    hold_id        BINARY(16) NOT NULL,
    CONSTRAINT hold_captures_pk PRIMARY KEY (transaction_id),
    CONSTRAINT hold_captures_transaction_exists FOREIGN KEY (transaction_id) REFERENCES transactions (id),
    CONSTRAINT hold_captures_hold_exists FOREIGN KEY (hold_id) REFERENCES holds (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The withdrawal of each `withdrawal` and `withdrawal_return`, and of an `adjustment` that corrects one; `type` is the
-- transaction's. Each of them once.
CREATE TABLE IF NOT EXISTS withdrawal_bookings (
    withdrawal_id  BINARY(16)  NOT NULL,
    type           VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    transaction_id BINARY(16)  NOT NULL,
    CONSTRAINT withdrawal_bookings_pk PRIMARY KEY (withdrawal_id, type),
    CONSTRAINT withdrawal_bookings_transaction_is_of_one UNIQUE (transaction_id),
    CONSTRAINT withdrawal_bookings_transaction_exists FOREIGN KEY (transaction_id) REFERENCES transactions (id),
    CONSTRAINT withdrawal_bookings_withdrawal_exists FOREIGN KEY (withdrawal_id) REFERENCES withdrawals (id),
    CONSTRAINT withdrawal_bookings_type_is_known CHECK (type IN ('withdrawal', 'withdrawal_return', 'adjustment'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The refund of each `refund_to_source`: booked once.
CREATE TABLE IF NOT EXISTS source_refund_bookings (
    source_refund_id BINARY(16) NOT NULL,
    transaction_id   BINARY(16) NOT NULL,
    CONSTRAINT source_refund_bookings_pk PRIMARY KEY (source_refund_id),
    CONSTRAINT source_refund_bookings_transaction_is_of_one UNIQUE (transaction_id),
    CONSTRAINT source_refund_bookings_transaction_exists FOREIGN KEY (transaction_id) REFERENCES transactions (id),
    CONSTRAINT source_refund_bookings_refund_exists FOREIGN KEY (source_refund_id) REFERENCES source_refunds (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- `entry_no` numbers the postings of a wallet's slot without a gap, in the order of their commits, and `balance_after`
-- is the slot's balance behind each: a checkpoint at every entry. Both are NULL on accounts of ours. The time of a
-- slot's postings only grows, so the balance of any moment is one seek away. `type` is the transaction's: a statement of
-- one type is read from an index, however long the wallet's history is.
CREATE TABLE IF NOT EXISTS postings (
    transaction_id BINARY(16)       NOT NULL,
    line           TINYINT UNSIGNED NOT NULL,
    account_id     BINARY(16)       NOT NULL,
    slot           TINYINT UNSIGNED NOT NULL,
    type           VARCHAR(20)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    side           VARCHAR(6)       CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount         BIGINT           NOT NULL,
    entry_no       BIGINT           NULL,
    balance_after  BIGINT           NULL,
    created_at     DATETIME(6)      NOT NULL,
    CONSTRAINT postings_pk PRIMARY KEY (transaction_id, line),
    CONSTRAINT postings_entries_are_numbered_once UNIQUE (account_id, slot, entry_no),
    CONSTRAINT postings_transaction_exists FOREIGN KEY (transaction_id) REFERENCES transactions (id),
    CONSTRAINT postings_account_exists FOREIGN KEY (account_id) REFERENCES accounts (id),
    CONSTRAINT postings_side_is_known CHECK (side IN ('debit', 'credit')),
    CONSTRAINT postings_amount_is_positive CHECK (amount > 0),
    CONSTRAINT postings_entry_is_whole CHECK ((entry_no IS NULL) = (balance_after IS NULL)),
    CONSTRAINT postings_balance_is_never_negative CHECK (balance_after >= 0),
    INDEX postings_by_time (account_id, slot, created_at),
    INDEX postings_by_type (account_id, slot, type, entry_no)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What a caller's key made, written in the commit that made it and kept as long as the ledger, never as a text: `made_id` is a
-- transaction (a payment, its refund, a capture), a hold that was placed or released, an attempt to top up, a withdrawal that was
-- asked for or cancelled, a file of payments or a retry of one, a user who has registered, or a line of the operators' journal.
-- Whoever comes with the key again is answered from that.
CREATE TABLE IF NOT EXISTS idempotency_records (
    actor_id     BINARY(16)    NOT NULL,
    idem_key     VARBINARY(64) NOT NULL,
    request_hash BINARY(32)    NOT NULL,
    made_id      BINARY(16)    NOT NULL,
    created_at   DATETIME(6)   NOT NULL,
    CONSTRAINT idempotency_records_pk PRIMARY KEY (actor_id, idem_key)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS accounts_are_not_changed;
CREATE TRIGGER accounts_are_not_changed BEFORE UPDATE ON accounts FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';

DROP TRIGGER IF EXISTS accounts_are_kept;
CREATE TRIGGER accounts_are_kept BEFORE DELETE ON accounts FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';

DROP TRIGGER IF EXISTS transactions_are_not_changed;
CREATE TRIGGER transactions_are_not_changed BEFORE UPDATE ON transactions FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';

DROP TRIGGER IF EXISTS transactions_are_kept;
CREATE TRIGGER transactions_are_kept BEFORE DELETE ON transactions FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';

DROP TRIGGER IF EXISTS postings_are_not_changed;
CREATE TRIGGER postings_are_not_changed BEFORE UPDATE ON postings FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';

DROP TRIGGER IF EXISTS postings_are_kept;
CREATE TRIGGER postings_are_kept BEFORE DELETE ON postings FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';

DROP TRIGGER IF EXISTS gateway_payments_are_not_changed;
CREATE TRIGGER gateway_payments_are_not_changed BEFORE UPDATE ON gateway_payments FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';

DROP TRIGGER IF EXISTS gateway_payments_are_kept;
CREATE TRIGGER gateway_payments_are_kept BEFORE DELETE ON gateway_payments FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';

DROP TRIGGER IF EXISTS hold_captures_are_not_changed;
CREATE TRIGGER hold_captures_are_not_changed BEFORE UPDATE ON hold_captures FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';

DROP TRIGGER IF EXISTS hold_captures_are_kept;
CREATE TRIGGER hold_captures_are_kept BEFORE DELETE ON hold_captures FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';

DROP TRIGGER IF EXISTS withdrawal_bookings_are_not_changed;
CREATE TRIGGER withdrawal_bookings_are_not_changed BEFORE UPDATE ON withdrawal_bookings FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';

DROP TRIGGER IF EXISTS withdrawal_bookings_are_kept;
CREATE TRIGGER withdrawal_bookings_are_kept BEFORE DELETE ON withdrawal_bookings FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';

DROP TRIGGER IF EXISTS source_refund_bookings_are_not_changed;
CREATE TRIGGER source_refund_bookings_are_not_changed BEFORE UPDATE ON source_refund_bookings FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';

DROP TRIGGER IF EXISTS source_refund_bookings_are_kept;
CREATE TRIGGER source_refund_bookings_are_kept BEFORE DELETE ON source_refund_bookings FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';

DROP TRIGGER IF EXISTS idempotency_records_are_not_changed;
CREATE TRIGGER idempotency_records_are_not_changed BEFORE UPDATE ON idempotency_records FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an idempotency record is written once';

DROP TRIGGER IF EXISTS idempotency_records_are_kept;
CREATE TRIGGER idempotency_records_are_kept BEFORE DELETE ON idempotency_records FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an idempotency record is kept as long as the ledger';
