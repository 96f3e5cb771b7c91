-- Requests for money: what somebody asks for by a link or a code, which the payer opens and confirms. Nothing is pushed to anybody.
--
-- Locks: idempotency record; payment request; then those of a payment.

-- `amount` is in minor units; NULL: the payer says how much, and may pay often until it ends. One with an amount is paid once.
CREATE TABLE IF NOT EXISTS payment_requests (
    id           BINARY(16)   NOT NULL,
    wallet_id    BINARY(16)   NOT NULL,
    amount       BIGINT       NULL,
    currency     CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    description  VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    created_at   DATETIME(6)  NOT NULL,
    expires_at   DATETIME(6)  NOT NULL,
    cancelled_at DATETIME(6)  NULL,
    CONSTRAINT payment_requests_pk PRIMARY KEY (id),
    CONSTRAINT payment_requests_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id),
    CONSTRAINT payment_requests_amount_is_positive CHECK (amount > 0),
    CONSTRAINT payment_requests_end CHECK (expires_at <= created_at + INTERVAL 90 DAY),
    INDEX payment_requests_of_wallet (wallet_id, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What was paid on requests. `only_of` is the request if that has an amount: such a one is paid once, whatever a procedure does.
CREATE TABLE IF NOT EXISTS payment_request_payments (
    payment_request_id BINARY(16) NOT NULL,
    transaction_id     BINARY(16) NOT NULL,
    only_of            BINARY(16) NULL,
    CONSTRAINT payment_request_payments_pk PRIMARY KEY (payment_request_id, transaction_id),
    CONSTRAINT payment_request_payments_are_of_one UNIQUE (transaction_id),
    CONSTRAINT payment_request_payments_are_made_once UNIQUE (only_of),
    CONSTRAINT payment_request_payments_request_exists
        FOREIGN KEY (payment_request_id) REFERENCES payment_requests (id),
    CONSTRAINT payment_request_payments_transaction_exists FOREIGN KEY (transaction_id) REFERENCES transactions (id),
    CONSTRAINT payment_request_payments_only_is_its_own CHECK (only_of = payment_request_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS payment_requests_are_cancelled_once;
DELIMITER //
CREATE TRIGGER payment_requests_are_cancelled_once BEFORE UPDATE ON payment_requests FOR EACH ROW
BEGIN
    IF NOT (NEW.id = OLD.id AND NEW.wallet_id = OLD.wallet_id AND NEW.amount <=> OLD.amount AND NEW.currency = OLD.currency
            AND NEW.description <=> OLD.description AND NEW.created_at = OLD.created_at
            AND NEW.expires_at = OLD.expires_at AND OLD.cancelled_at IS NULL) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what a payment request asks for does not change';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS payment_requests_are_kept;
CREATE TRIGGER payment_requests_are_kept BEFORE DELETE ON payment_requests FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'payment requests are kept';

DROP TRIGGER IF EXISTS payment_request_payments_are_not_changed;
CREATE TRIGGER payment_request_payments_are_not_changed BEFORE UPDATE ON payment_request_payments FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'payments of requests only grow';

DROP TRIGGER IF EXISTS payment_request_payments_are_kept;
CREATE TRIGGER payment_request_payments_are_kept BEFORE DELETE ON payment_request_payments FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'payments of requests only grow';
