-- Tamper evidence: every transaction gets a place in a chain of hashes, in batches, behind the writers. The ledger's own
-- triggers keep programs from changing the past; this here shows what somebody did who can drop a trigger. No foreign
-- key points from here to `transactions`: checking one would lock a row that a refund to source waits for.

-- Which ledger this is: what is signed names it, so that no statement about another one can stand in for it.
CREATE TABLE IF NOT EXISTS ledger_identity (
    one        TINYINT     NOT NULL,
    id         BINARY(16)  NOT NULL,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT ledger_identity_pk PRIMARY KEY (one),
    CONSTRAINT ledger_identity_is_one CHECK (one = 1)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO ledger_identity (one, id, created_at) VALUES (1, RANDOM_BYTES(16), UTC_TIMESTAMP(6));

-- A seal: the hash of a transaction and its postings (`leaf`), and the secret that keeps a hash from being guessed back.
-- `form`: there are two forms of what is hashed, and of the second one a payment can be shown without a balance
-- (docs/decisions/0048). A checkpoint is over seals of one form.
CREATE TABLE IF NOT EXISTS seals (
    position       BIGINT     NOT NULL,
    transaction_id BINARY(16) NOT NULL,
    salt           BINARY(16) NOT NULL,
    leaf           BINARY(32) NOT NULL,
    form           TINYINT UNSIGNED NOT NULL DEFAULT 1,
    CONSTRAINT seals_pk PRIMARY KEY (position),
    CONSTRAINT seals_transaction_is_sealed_once UNIQUE (transaction_id),
    CONSTRAINT seals_position_is_positive CHECK (position > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A checkpoint: the seals from `first_position` to `last_position`, the chain of hashes before and behind them, and what
-- our accounts had there (`balances`: JSON, by currency and account). `digest` is the SHA-256 of the statement that is
-- signed and published; the next statement names it.
CREATE TABLE IF NOT EXISTS checkpoints (
    number         BIGINT          NOT NULL,
    first_position BIGINT          NOT NULL,
    last_position  BIGINT          NOT NULL,
    chain_before   BINARY(32)      NOT NULL,
    chain          BINARY(32)      NOT NULL,
    balances       TEXT            CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    digest         BINARY(32)      NOT NULL,
    sealed_at      DATETIME(6)     NOT NULL,
    signature      VARBINARY(1024) NULL,
    published_at   DATETIME(6)     NULL,
    CONSTRAINT checkpoints_pk PRIMARY KEY (number),
    CONSTRAINT checkpoints_number_is_positive CHECK (number > 0),
    CONSTRAINT checkpoints_cover_something CHECK (last_position >= first_position),
    CONSTRAINT checkpoints_publication_is_whole CHECK ((signature IS NULL) = (published_at IS NULL)),
    INDEX checkpoints_by_publication (published_at, number)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What has no seal yet. By what is missing and never by a position: transactions become visible in the order of their
-- commits, which is not the order of their ids or times.
CREATE TABLE IF NOT EXISTS unsealed (
    transaction_id BINARY(16) NOT NULL,
    CONSTRAINT unsealed_pk PRIMARY KEY (transaction_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The audits that were made. Each goes on with the checkpoint that the one before had no time for.
CREATE TABLE IF NOT EXISTS audits (
    id          BINARY(16)   NOT NULL,
    outcome     VARCHAR(10)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    checkpoints BIGINT       NOT NULL,
    verified    BIGINT       NOT NULL,
    next_number BIGINT       NOT NULL,
    faults      MEDIUMTEXT   CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    ended_at    DATETIME(6)  NOT NULL,
    CONSTRAINT audits_pk PRIMARY KEY (id),
    CONSTRAINT audits_outcome_is_known CHECK (outcome IN ('passed', 'broken', 'unfinished')),
    CONSTRAINT audits_passed_is_all CHECK (outcome <> 'passed' OR verified = checkpoints),
    CONSTRAINT audits_next_is_a_checkpoint CHECK (next_number > 0),
    INDEX audits_by_time (ended_at, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- A transaction waits for its seal from its own commit on.
DROP TRIGGER IF EXISTS transactions_are_to_be_sealed;
CREATE TRIGGER transactions_are_to_be_sealed AFTER INSERT ON transactions FOR EACH ROW
    INSERT INTO unsealed (transaction_id) VALUES (NEW.id);

DROP TRIGGER IF EXISTS ledger_identity_is_not_changed;
CREATE TRIGGER ledger_identity_is_not_changed BEFORE UPDATE ON ledger_identity FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a ledger is the same for ever';

DROP TRIGGER IF EXISTS ledger_identity_is_kept;
CREATE TRIGGER ledger_identity_is_kept BEFORE DELETE ON ledger_identity FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a ledger is the same for ever';

DROP TRIGGER IF EXISTS seals_are_not_changed;
CREATE TRIGGER seals_are_not_changed BEFORE UPDATE ON seals FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a seal is made once';

DROP TRIGGER IF EXISTS seals_are_kept;
CREATE TRIGGER seals_are_kept BEFORE DELETE ON seals FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a seal is made once';

DROP TRIGGER IF EXISTS checkpoints_are_published_once;
DELIMITER //
CREATE TRIGGER checkpoints_are_published_once BEFORE UPDATE ON checkpoints FOR EACH ROW
BEGIN
    IF OLD.published_at IS NOT NULL OR NEW.number <> OLD.number OR NEW.first_position <> OLD.first_position
        OR NEW.last_position <> OLD.last_position OR NEW.chain_before <> OLD.chain_before
        OR NEW.chain <> OLD.chain OR NEW.balances <> OLD.balances OR NEW.digest <> OLD.digest
        OR NEW.sealed_at <> OLD.sealed_at THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a checkpoint is made once and published once';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS checkpoints_are_kept;
CREATE TRIGGER checkpoints_are_kept BEFORE DELETE ON checkpoints FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a checkpoint is made once and published once';

DROP TRIGGER IF EXISTS audits_are_not_changed;
CREATE TRIGGER audits_are_not_changed BEFORE UPDATE ON audits FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what an audit found stays';

DROP TRIGGER IF EXISTS audits_are_kept;
CREATE TRIGGER audits_are_kept BEFORE DELETE ON audits FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what an audit found stays';
