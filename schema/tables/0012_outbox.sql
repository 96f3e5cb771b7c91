-- What happened, for others to hear: written in the commit of what it tells, delivered afterwards, at least once.

-- `wallet_id` is whose event it is and `other_wallet_id` the other side's. A top-up, a payment, its refund and a capture are told
-- by their transaction, and that a hold was placed or has ended by the hold: what these events tell of them never changes. What else is
-- to be told is in `detail`, which is JSON. A position may become visible after a later one: what is to be delivered is what has
-- no `delivered_at`, never what is beyond a position.
CREATE TABLE IF NOT EXISTS outbox (
    position        BIGINT       NOT NULL AUTO_INCREMENT,
    wallet_id       BINARY(16)   NOT NULL,
    other_wallet_id BINARY(16)   NULL,
    type            VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    transaction_id  BINARY(16)   NULL,
    hold_id         BINARY(16)   NULL,
    detail          TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    created_at      DATETIME(6)  NOT NULL,
    delivered_at    DATETIME(6)  NULL,
    CONSTRAINT outbox_pk PRIMARY KEY (position),
    CONSTRAINT outbox_tells_one_thing
        CHECK ((transaction_id IS NOT NULL) + (hold_id IS NOT NULL) + (detail IS NOT NULL) = 1),
    INDEX outbox_by_delivery (delivered_at, position)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who delivers now: one relay at a time, or two would hand over everything twice.
CREATE TABLE IF NOT EXISTS relays (
    name         VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    owner        BINARY(16)  NOT NULL,
    leased_until DATETIME(6) NOT NULL,
    CONSTRAINT relays_pk PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO relays (name, owner, leased_until) VALUES
    ('outbox', UNHEX('00000000000000000000000000000000'), UTC_TIMESTAMP(6));
