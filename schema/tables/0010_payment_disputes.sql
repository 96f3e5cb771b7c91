-- Payment disputes (chargebacks): what a payer's bank takes back of a payment, through the gateway. What is available of the
-- wallet that the payment was credited to is reserved from the first news on; an operator says how it ended, and that is
-- booked. What a dispute takes of a payment is what the gateway asks back of it, and never less than what is booked for it:
-- until an operator has booked the end that the gateway's last word means, the money is where it was booked to.
-- A withdrawal on which its provider contradicts itself is another thing (`disputed_withdrawal`).
--
-- Locks: idempotency record; payment attempt; refund to source; payment dispute; suspended transaction; wallet; break.

-- A dispute as it stands, one row for each of the gateway's. `transaction_id` is the payment in the books, NULL until it is
-- there; `wallet_id` is whose balance it was credited to, NULL if to nobody's. `amount` is what the gateway asks back, as last
-- told, and may be more than was credited. `status` is in force, `gateway_status` the gateway's last word: an operator may be
-- ahead of it. `told_at` is the gateway's time of its last news: older news change nothing. `reserved` is held in the wallet;
-- `from_wallet`, `from_suspense` and `from_losses` are what was booked, less what was reversed. `ends` counts the times that
-- an operator has ended it. It is open while `ended_at` is NULL.
CREATE TABLE IF NOT EXISTS payment_disputes (
    id                 BINARY(16)   NOT NULL,
    gateway            VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gateway_dispute_id VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gateway_payment_id VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    transaction_id     BINARY(16)   NULL,
    wallet_id          BINARY(16)   NULL,
    amount             BIGINT       NOT NULL,
    currency           CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    phase              VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status             VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gateway_status     VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reason             VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    respond_by         DATETIME(6)  NULL,
    told_at            DATETIME(6)  NOT NULL,
    reserved           BIGINT       NOT NULL DEFAULT 0,
    from_wallet        BIGINT       NOT NULL DEFAULT 0,
    from_suspense      BIGINT       NOT NULL DEFAULT 0,
    from_losses        BIGINT       NOT NULL DEFAULT 0,
    ends               INT UNSIGNED NOT NULL DEFAULT 0,
    changes            INT UNSIGNED NOT NULL DEFAULT 0,
    created_at         DATETIME(6)  NOT NULL,
    ended_at           DATETIME(6)  NULL,
    CONSTRAINT payment_disputes_pk PRIMARY KEY (id),
    CONSTRAINT payment_disputes_are_told_once UNIQUE (gateway, gateway_dispute_id),
    CONSTRAINT payment_disputes_transaction_exists FOREIGN KEY (transaction_id) REFERENCES transactions (id),
    CONSTRAINT payment_disputes_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id),
    CONSTRAINT payment_disputes_amount_is_positive CHECK (amount > 0),
    CONSTRAINT payment_disputes_status_is_known
        CHECK (status IN ('open', 'under_review', 'action_required', 'won', 'lost', 'closed')),
    CONSTRAINT payment_disputes_sums_are_not_negative
        CHECK (reserved >= 0 AND from_wallet >= 0 AND from_suspense >= 0 AND from_losses >= 0),
    CONSTRAINT payment_disputes_reserve_in_a_wallet CHECK (reserved = 0 OR wallet_id IS NOT NULL),
    INDEX payment_disputes_of_payment (gateway, gateway_payment_id),
    INDEX payment_disputes_that_are_open (ended_at, respond_by)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- How a dispute came to stand as it stands: one row for each time that its row changed. `source`: 'gateway' (its news),
-- 'operator' (an end), 'books' (the payment was booked, or something of it became free).
CREATE TABLE IF NOT EXISTS payment_dispute_events (
    dispute_id    BINARY(16)   NOT NULL,
    position      INT UNSIGNED NOT NULL,
    source        VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    phase         VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status        VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    amount        BIGINT       NOT NULL,
    reason        VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    respond_by    DATETIME(6)  NULL,
    told_at       DATETIME(6)  NOT NULL,
    reserved      BIGINT       NOT NULL,
    from_wallet   BIGINT       NOT NULL,
    from_suspense BIGINT       NOT NULL,
    from_losses   BIGINT       NOT NULL,
    is_open       BOOLEAN      NOT NULL,
    created_at    DATETIME(6)  NOT NULL,
    CONSTRAINT payment_dispute_events_pk PRIMARY KEY (dispute_id, position),
    CONSTRAINT payment_dispute_events_dispute_exists FOREIGN KEY (dispute_id) REFERENCES payment_disputes (id),
    CONSTRAINT payment_dispute_events_source_is_known CHECK (source IN ('gateway', 'operator', 'books'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Which transactions book a dispute: at its end number `end_no`, from or back to one `part` at most once.
CREATE TABLE IF NOT EXISTS payment_dispute_bookings (
    transaction_id BINARY(16)   NOT NULL,
    dispute_id     BINARY(16)   NOT NULL,
    end_no         INT UNSIGNED NOT NULL,
    part           VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    CONSTRAINT payment_dispute_bookings_pk PRIMARY KEY (transaction_id),
    CONSTRAINT payment_dispute_bookings_are_made_once UNIQUE (dispute_id, end_no, part),
    CONSTRAINT payment_dispute_bookings_transaction_exists FOREIGN KEY (transaction_id) REFERENCES transactions (id),
    CONSTRAINT payment_dispute_bookings_dispute_exists FOREIGN KEY (dispute_id) REFERENCES payment_disputes (id),
    CONSTRAINT payment_dispute_bookings_part_is_known CHECK (part IN ('wallet', 'suspense', 'losses'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS payment_disputes_keep_their_subject;
DELIMITER //
CREATE TRIGGER payment_disputes_keep_their_subject BEFORE UPDATE ON payment_disputes FOR EACH ROW
BEGIN
    IF NOT (NEW.id = OLD.id AND NEW.gateway = OLD.gateway AND NEW.gateway_dispute_id = OLD.gateway_dispute_id
            AND NEW.gateway_payment_id = OLD.gateway_payment_id AND NEW.currency = OLD.currency
            AND NEW.created_at = OLD.created_at AND NEW.told_at >= OLD.told_at AND NEW.changes >= OLD.changes
            AND NEW.ends >= OLD.ends AND NEW.transaction_id <=> COALESCE(OLD.transaction_id, NEW.transaction_id)
            AND NEW.wallet_id <=> COALESCE(OLD.wallet_id, NEW.wallet_id)) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a dispute keeps its subject, and its news move forward only';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS payment_disputes_are_kept;
CREATE TRIGGER payment_disputes_are_kept BEFORE DELETE ON payment_disputes FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'payment disputes are kept';

DROP TRIGGER IF EXISTS payment_dispute_events_are_not_changed;
CREATE TRIGGER payment_dispute_events_are_not_changed BEFORE UPDATE ON payment_dispute_events FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the history of a dispute only grows';

DROP TRIGGER IF EXISTS payment_dispute_events_are_kept;
CREATE TRIGGER payment_dispute_events_are_kept BEFORE DELETE ON payment_dispute_events FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the history of a dispute only grows';

DROP TRIGGER IF EXISTS payment_dispute_bookings_are_not_changed;
CREATE TRIGGER payment_dispute_bookings_are_not_changed BEFORE UPDATE ON payment_dispute_bookings FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the bookings of disputes only grow';

DROP TRIGGER IF EXISTS payment_dispute_bookings_are_kept;
CREATE TRIGGER payment_dispute_bookings_are_kept BEFORE DELETE ON payment_dispute_bookings FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the bookings of disputes only grow';
