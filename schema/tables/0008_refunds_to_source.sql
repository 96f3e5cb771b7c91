-- Money that goes back the way it came: a top-up, or money that is in suspense. It is held first, leaves when the
-- gateway says that it has, and is free again when the gateway says that it never will.
--
-- A top-up's refunds are counted under its wallet's lock, those of money in suspense under the lock of its transaction.

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
