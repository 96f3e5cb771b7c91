-- Reconciliation: how far the gateway's own lists have been read, what its settlement reports said, where they and the
-- books differ (breaks), and what operators do about it. `wallet.ledger.breaks` says what a break is.

-- How far a gateway's list has been read and compared: everything before `done_until` has been. It only grows, so that a
-- run that dies is made up for by the next one, and two at once do the same work twice and nothing else.
CREATE TABLE IF NOT EXISTS reconciliation_walks (
    gateway    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    walk       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    done_until DATETIME(6) NOT NULL,
    CONSTRAINT reconciliation_walks_pk PRIMARY KEY (gateway, walk)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Lines of the gateway's settlement reports, as last told. Amounts are minor units: `amount` is gross, `fee` (with its
-- `tax` in it) is the gateway's, `debit` and `credit` are what our account there lost or gained.
-- `dispute_id`: which dispute a line is about, as gateways take disputed money, and give it back, by adjustments.
CREATE TABLE IF NOT EXISTS settlement_lines (
    gateway       VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    type          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    entity_id     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    payment_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    amount        BIGINT      NOT NULL,
    currency      CHAR(3)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    debit         BIGINT      NOT NULL,
    credit        BIGINT      NOT NULL,
    fee           BIGINT      NOT NULL,
    tax           BIGINT      NOT NULL,
    settlement_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    utr           VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    settled_at    DATETIME(6) NULL,
    told_at       DATETIME(6) NOT NULL,
    dispute_id    VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
    CONSTRAINT settlement_lines_pk PRIMARY KEY (gateway, type, entity_id),
    CONSTRAINT settlement_lines_amounts_are_not_negative
        CHECK (amount >= 0 AND debit >= 0 AND credit >= 0 AND fee >= 0 AND tax >= 0),
    INDEX settlement_lines_of_dispute (gateway, dispute_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Where the books and somebody else's differ. `our_amount` is NULL where we have nothing, `their_amount` where they don't.
-- `resolution`: 'gone' (it is no longer there), 'ended' (an operator's order was carried out), 'operator' (an operator
-- says so, and why). `open_since` is when it was (last) opened: its age. `order_id` is the order of an operator that the
-- reconciler is to carry out.
CREATE TABLE IF NOT EXISTS reconciliation_breaks (
    id            BINARY(16)   NOT NULL,
    kind          VARCHAR(24)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gateway       VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    subject       VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    our_amount    BIGINT       NULL,
    their_amount  BIGINT       NULL,
    currency      CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NULL,
    first_seen_at DATETIME(6)  NOT NULL,
    open_since    DATETIME(6)  NOT NULL,
    last_seen_at  DATETIME(6)  NOT NULL,
    resolved_at   DATETIME(6)  NULL,
    resolution    VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NULL,
    resolved_by   VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    reason        VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    order_id      BINARY(16)   NULL,
    CONSTRAINT reconciliation_breaks_pk PRIMARY KEY (id),
    CONSTRAINT reconciliation_breaks_are_told_once UNIQUE (kind, gateway, subject),
    CONSTRAINT reconciliation_breaks_end_somehow CHECK ((resolved_at IS NULL) = (resolution IS NULL)),
    CONSTRAINT reconciliation_breaks_resolution_is_known CHECK (resolution IN ('gone', 'ended', 'operator')),
    CONSTRAINT reconciliation_breaks_people_say_why
        CHECK (resolution <> 'operator' OR (resolved_by IS NOT NULL AND reason IS NOT NULL)),
    INDEX reconciliation_breaks_that_are_open (resolved_at, open_since)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS reconciliation_breaks_keep_their_subject;
DELIMITER //
CREATE TRIGGER reconciliation_breaks_keep_their_subject BEFORE UPDATE ON reconciliation_breaks FOR EACH ROW
BEGIN
    IF NOT (NEW.id = OLD.id AND NEW.kind = OLD.kind AND NEW.gateway = OLD.gateway AND NEW.subject = OLD.subject
            AND NEW.first_seen_at = OLD.first_seen_at) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a break keeps its subject';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS reconciliation_breaks_are_kept;
CREATE TRIGGER reconciliation_breaks_are_kept BEFORE DELETE ON reconciliation_breaks FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'breaks are kept';
