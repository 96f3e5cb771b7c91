-- Layer 3, the outside lifecycle: what we asked of a gateway, and what we heard from it.

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

-- Money that leaves for a UPI address. It is held from the request on, leaves the wallet when the provider has paid, and
-- is free again if it never will.
CREATE TABLE IF NOT EXISTS withdrawals (
    id                 BINARY(16)   NOT NULL,
    wallet_id          BINARY(16)   NOT NULL,
    provider           VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    vpa                VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount             BIGINT       NOT NULL,
    fee                BIGINT       NOT NULL,
    currency           CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status             VARCHAR(9)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    provider_payout_id VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    reason             VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    created_at         DATETIME(6)  NOT NULL,
    ended_at           DATETIME(6)  NULL,
    next_check_at      DATETIME(6)  NULL,
    checks             INT UNSIGNED NOT NULL,
    CONSTRAINT withdrawals_pk PRIMARY KEY (id),
    CONSTRAINT withdrawals_payout_is_unique UNIQUE (provider, provider_payout_id),
    CONSTRAINT withdrawals_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id),
    CONSTRAINT withdrawals_amount_is_positive CHECK (amount > 0 AND fee >= 0),
    CONSTRAINT withdrawals_status_is_known CHECK (status IN ('pending', 'succeeded', 'failed', 'reversed')),
    INDEX withdrawals_by_next_check (next_check_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Money that goes back the way it came. `transaction_id` is the top-up, or what arrived and is in suspense (then there
-- is no wallet). `origin`: 'ours', or 'gateway' for one that somebody began at the gateway.
CREATE TABLE IF NOT EXISTS source_refunds (
    id                 BINARY(16)   NOT NULL,
    origin             VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    transaction_id     BINARY(16)   NOT NULL,
    wallet_id          BINARY(16)   NULL,
    gateway            VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gateway_payment_id VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gateway_refund_id  VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    amount             BIGINT       NOT NULL,
    currency           CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status             VARCHAR(9)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reason             VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    requested_by       VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    created_at         DATETIME(6)  NOT NULL,
    ended_at           DATETIME(6)  NULL,
    next_check_at      DATETIME(6)  NULL,
    checks             INT UNSIGNED NOT NULL,
    CONSTRAINT source_refunds_pk PRIMARY KEY (id),
    CONSTRAINT source_refunds_refund_is_unique UNIQUE (gateway, gateway_refund_id),
    CONSTRAINT source_refunds_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id),
    CONSTRAINT source_refunds_amount_is_positive CHECK (amount > 0),
    CONSTRAINT source_refunds_origin_is_known CHECK (origin IN ('ours', 'gateway')),
    CONSTRAINT source_refunds_status_is_known CHECK (status IN ('pending', 'succeeded', 'failed')),
    INDEX source_refunds_of_transaction (transaction_id),
    INDEX source_refunds_by_next_check (next_check_at)
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

DROP TRIGGER IF EXISTS withdrawals_move_forward_only;
DELIMITER //
CREATE TRIGGER withdrawals_move_forward_only BEFORE UPDATE ON withdrawals FOR EACH ROW
BEGIN
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN
            (('pending', 'succeeded'), ('pending', 'failed'), ('succeeded', 'reversed')) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a withdrawal moves forward only';
    END IF;
    IF NOT (NEW.id = OLD.id AND NEW.wallet_id = OLD.wallet_id AND NEW.provider = OLD.provider AND NEW.vpa = OLD.vpa
            AND NEW.amount = OLD.amount AND NEW.fee = OLD.fee AND NEW.currency = OLD.currency
            AND NEW.provider_payout_id <=> COALESCE(OLD.provider_payout_id, NEW.provider_payout_id)) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what a withdrawal asked for does not change';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS withdrawals_are_kept;
CREATE TRIGGER withdrawals_are_kept BEFORE DELETE ON withdrawals FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'withdrawals are kept';

DROP TRIGGER IF EXISTS source_refunds_move_forward_only;
DELIMITER //
CREATE TRIGGER source_refunds_move_forward_only BEFORE UPDATE ON source_refunds FOR EACH ROW
BEGIN
    IF NEW.status <> OLD.status AND OLD.status <> 'pending' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a refund to source moves forward only';
    END IF;
    IF NOT (NEW.id = OLD.id AND NEW.origin = OLD.origin AND NEW.transaction_id = OLD.transaction_id
            AND NEW.wallet_id <=> OLD.wallet_id AND NEW.gateway = OLD.gateway AND NEW.amount = OLD.amount
            AND NEW.gateway_payment_id = OLD.gateway_payment_id AND NEW.currency = OLD.currency
            AND NEW.gateway_refund_id <=> COALESCE(OLD.gateway_refund_id, NEW.gateway_refund_id)) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what a refund to source asked for does not change';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS source_refunds_are_kept;
CREATE TRIGGER source_refunds_are_kept BEFORE DELETE ON source_refunds FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refunds to source are kept';

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
