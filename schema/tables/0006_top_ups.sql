-- Money in: what we asked of a gateway, and what we heard from it.

CREATE TABLE IF NOT EXISTS payment_attempts (
    id               BINARY(16)    NOT NULL,
    wallet_id        BINARY(16)    NOT NULL,
    gateway          VARCHAR(16)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount           BIGINT        NOT NULL,
    currency         CHAR(3)       CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status           VARCHAR(9)    CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gateway_order_id VARCHAR(64)   CHARACTER SET ascii COLLATE ascii_bin NULL,
    checkout_session VARCHAR(512)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    intent_url       VARCHAR(2048) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    created_at       DATETIME(6)   NOT NULL,
    expires_at       DATETIME(6)   NOT NULL,
    next_check_at    DATETIME(6)   NULL,
    checks           INT UNSIGNED  NOT NULL,
    CONSTRAINT payment_attempts_pk PRIMARY KEY (id),
    CONSTRAINT payment_attempts_order_is_unique UNIQUE (gateway, gateway_order_id),
    CONSTRAINT payment_attempts_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id),
    CONSTRAINT payment_attempts_amount_is_positive CHECK (amount > 0),
    CONSTRAINT payment_attempts_status_is_known
        CHECK (status IN ('created', 'pending', 'failed', 'expired', 'succeeded', 'refunded')),
    INDEX payment_attempts_by_next_check (next_check_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- How an attempt came to stand where it stands. `gateway_payment_id` is '' where no payment is meant.
CREATE TABLE IF NOT EXISTS payment_attempt_events (
    attempt_id         BINARY(16)   NOT NULL,
    position           INT UNSIGNED NOT NULL,
    status             VARCHAR(9)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reason             VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    gateway_payment_id VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at         DATETIME(6)  NOT NULL,
    CONSTRAINT payment_attempt_events_pk PRIMARY KEY (attempt_id, position),
    CONSTRAINT payment_attempt_events_are_told_once UNIQUE (attempt_id, gateway_payment_id, status),
    CONSTRAINT payment_attempt_events_attempt_exists FOREIGN KEY (attempt_id) REFERENCES payment_attempts (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Every verified webhook, as it came, before it is acted on. `digest` is the SHA-256 of the body: the signature
-- covers the body and nothing else, so the gateway's own event id (a header) can't be trusted to tell two apart.
CREATE TABLE IF NOT EXISTS gateway_events (
    id           BINARY(16)   NOT NULL,
    gateway      VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    digest       BINARY(32)   NOT NULL,
    event_id     VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    name         VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    body         MEDIUMBLOB   NOT NULL,
    received_at  DATETIME(6)  NOT NULL,
    outcome      VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    processed_at DATETIME(6)  NULL,
    CONSTRAINT gateway_events_pk PRIMARY KEY (id),
    CONSTRAINT gateway_events_are_stored_once UNIQUE (gateway, digest),
    CONSTRAINT gateway_events_outcome_is_known CHECK (outcome IN ('processed', 'duplicate', 'ignored', 'stuck')),
    INDEX gateway_events_by_outcome (outcome, received_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- The reference that a bank shows to its customer for money that passed through a gateway: the RRN of a payment or of a refund
-- to source (12 digits as a rule, zeros in front among them), the UTR of a payout. The first one told stays. It is no key:
-- RRNs repeat. `outside_id` is the gateway's id of the payment, the refund or the payout; it need not be in the books.
CREATE TABLE IF NOT EXISTS bank_references (
    kind           VARCHAR(8)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gateway        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    outside_id     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    bank_reference VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at     DATETIME(6) NOT NULL,
    CONSTRAINT bank_references_pk PRIMARY KEY (kind, gateway, outside_id),
    CONSTRAINT bank_references_kind_is_known CHECK (kind IN ('payment', 'refund', 'payout')),
    CONSTRAINT bank_references_are_visible CHECK (bank_reference REGEXP '^[!-~]+$'),
    INDEX bank_references_by_reference (bank_reference)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS payment_attempts_move_forward_only;
DELIMITER //
CREATE TRIGGER payment_attempts_move_forward_only BEFORE UPDATE ON payment_attempts FOR EACH ROW
BEGIN
    IF FIELD(NEW.status, 'created', 'pending', 'failed', 'expired', 'succeeded', 'refunded')
        < FIELD(OLD.status, 'created', 'pending', 'failed', 'expired', 'succeeded', 'refunded') THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a payment attempt moves forward only';
    END IF;
    IF NOT (NEW.id = OLD.id AND NEW.wallet_id = OLD.wallet_id AND NEW.gateway = OLD.gateway
            AND NEW.amount = OLD.amount AND NEW.currency = OLD.currency
            AND NEW.gateway_order_id <=> COALESCE(OLD.gateway_order_id, NEW.gateway_order_id)) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what a payment attempt asked for does not change';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS payment_attempts_are_kept;
CREATE TRIGGER payment_attempts_are_kept BEFORE DELETE ON payment_attempts FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'payment attempts are kept';

DROP TRIGGER IF EXISTS payment_attempt_events_are_not_changed;
CREATE TRIGGER payment_attempt_events_are_not_changed BEFORE UPDATE ON payment_attempt_events FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the history of a payment attempt only grows';

DROP TRIGGER IF EXISTS payment_attempt_events_are_kept;
CREATE TRIGGER payment_attempt_events_are_kept BEFORE DELETE ON payment_attempt_events FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the history of a payment attempt only grows';

DROP TRIGGER IF EXISTS gateway_events_are_kept_as_they_came;
DELIMITER //
CREATE TRIGGER gateway_events_are_kept_as_they_came BEFORE UPDATE ON gateway_events FOR EACH ROW
BEGIN
    IF NOT (NEW.id = OLD.id AND NEW.gateway = OLD.gateway AND NEW.digest = OLD.digest AND NEW.body = OLD.body
            AND NEW.name = OLD.name AND NEW.received_at = OLD.received_at
            AND (OLD.outcome IS NULL OR NEW.outcome <=> OLD.outcome)) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a gateway event is kept as it came';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS gateway_events_are_kept;
CREATE TRIGGER gateway_events_are_kept BEFORE DELETE ON gateway_events FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'gateway events are kept';

DROP TRIGGER IF EXISTS bank_references_are_not_changed;
CREATE TRIGGER bank_references_are_not_changed BEFORE UPDATE ON bank_references FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bank references only grow';

DROP TRIGGER IF EXISTS bank_references_are_kept;
CREATE TRIGGER bank_references_are_kept BEFORE DELETE ON bank_references FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bank references only grow';
