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
CREATE TABLE IF NOT EXISTS seals (
    position       BIGINT     NOT NULL,
    transaction_id BINARY(16) NOT NULL,
    salt           BINARY(16) NOT NULL,
    leaf           BINARY(32) NOT NULL,
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

DROP TRIGGER IF EXISTS transactions_are_to_be_sealed;
CREATE TRIGGER transactions_are_to_be_sealed AFTER INSERT ON transactions FOR EACH ROW
    INSERT INTO unsealed (transaction_id) VALUES (NEW.id);

-- What was there before the trigger. Making a trigger waits for every atomic block that uses the table, so nothing is
-- between the two; and at this level reading the ledger locks nothing of it.
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
INSERT IGNORE INTO unsealed (transaction_id)
SELECT t.id FROM transactions t LEFT JOIN seals s ON s.transaction_id = t.id WHERE s.transaction_id IS NULL;

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

-- Appends a batch in one commit: its checkpoint, its seals, and that they wait no longer. `p_seals` has 64 bytes for each
-- seal, in the order of positions: transaction, salt, leaf. 'done', also for what this very call has done before;
-- 'taken' if another sealer was first, and then nothing is written. It locks nothing that a payment asks for: rows of
-- `unsealed` that are committed, and at this level no gap beside them.
DROP PROCEDURE IF EXISTS append_checkpoint;
DELIMITER //
CREATE PROCEDURE append_checkpoint(
    IN p_number BIGINT,
    IN p_first_position BIGINT,
    IN p_chain_before BINARY(32),
    IN p_chain BINARY(32),
    IN p_balances TEXT CHARACTER SET ascii COLLATE ascii_bin,
    IN p_digest BINARY(32),
    IN p_sealed_at DATETIME(6),
    IN p_seals MEDIUMBLOB
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_taken BOOLEAN DEFAULT FALSE;
    DECLARE v_outcome VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_count INT DEFAULT LENGTH(p_seals) DIV 64;
    DECLARE v_next INT DEFAULT 0;
    DECLARE v_last_before BIGINT DEFAULT 0;
    DECLARE v_chain_before, v_known BINARY(32) DEFAULT NULL;
    DECLARE v_seal BINARY(64);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET v_taken = TRUE;
        INSERT INTO checkpoints
            (number, first_position, last_position, chain_before, chain, balances, digest, sealed_at)
        VALUES (p_number, p_first_position, p_first_position + v_count - 1, p_chain_before, p_chain, p_balances,
                p_digest, p_sealed_at);
    END;
    IF v_taken THEN
        SELECT digest INTO v_known FROM checkpoints WHERE number = p_number;
        SET v_outcome = IF(v_known = p_digest, 'done', 'taken');
    ELSE
        IF p_number = 1 THEN
            SET v_chain_before = REPEAT(UNHEX('00'), 32);
        ELSE
            SELECT last_position, chain INTO v_last_before, v_chain_before
            FROM checkpoints WHERE number = p_number - 1;
        END IF;
        IF v_chain_before IS NULL OR v_chain_before <> p_chain_before OR v_last_before <> p_first_position - 1
            OR LENGTH(p_seals) <> 64 * v_count THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a checkpoint begins where the one before it ends';
        END IF;
        WHILE v_next < v_count DO
            SET v_seal = SUBSTRING(p_seals, 64 * v_next + 1, 64);
            INSERT INTO seals (position, transaction_id, salt, leaf)
            VALUES (p_first_position + v_next, SUBSTRING(v_seal, 1, 16), SUBSTRING(v_seal, 17, 16),
                    SUBSTRING(v_seal, 33, 32));
            DELETE FROM unsealed WHERE transaction_id = CAST(SUBSTRING(v_seal, 1, 16) AS BINARY(16));
            IF ROW_COUNT() <> 1 THEN
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'only what waits for a seal is sealed';
            END IF;
            SET v_next = v_next + 1;
        END WHILE;
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;

-- Writes down that a checkpoint is published under this signature: 'done' the first time and for a repetition.
DROP PROCEDURE IF EXISTS note_checkpoint_published;
DELIMITER //
CREATE PROCEDURE note_checkpoint_published(
    IN p_number BIGINT,
    IN p_signature VARBINARY(1024)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    UPDATE checkpoints SET signature = p_signature, published_at = UTC_TIMESTAMP(6)
    WHERE number = p_number AND published_at IS NULL;
    IF NOT EXISTS (SELECT 1 FROM checkpoints WHERE number = p_number AND signature = p_signature) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a checkpoint is made once and published once';
    END IF;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;
