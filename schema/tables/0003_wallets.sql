-- Stored value: what a person has, and what of it is promised. Amounts are minor units (paise).
--
-- Closing: what is left of a wallet and can't go back to its source is kept as unclaimed money, with its owner on record;
-- so is a refund to a wallet that is closed. A closed wallet's phone is free for its next owner.

-- `for_merchants`: who registered as a merchant and has such a tier, which only an operator gives, is one to the limits.
CREATE TABLE IF NOT EXISTS tiers (
    code          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    for_merchants BOOLEAN     NOT NULL DEFAULT FALSE,
    CONSTRAINT tiers_pk PRIMARY KEY (code)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What a wallet of a tier may hold and move, from a day on: the latest row that has begun is in force, so a new rule is
-- a new row and the old one stays to explain the past. NULL is no limit. Loads are top-ups and what people send;
-- debits are payments, holds and withdrawals. A day, a month and a year (from April) are Indian ones.
CREATE TABLE IF NOT EXISTS tier_limits (
    tier             VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    valid_from       DATETIME(6) NOT NULL,
    max_balance      BIGINT      NULL,
    max_top_up       BIGINT      NULL,
    max_payment      BIGINT      NULL,
    max_load_month   BIGINT      NULL,
    max_load_year    BIGINT      NULL,
    max_debit_day    BIGINT      NULL,
    max_debit_month  BIGINT      NULL,
    person_to_person BOOLEAN     NOT NULL,
    withdrawals      BOOLEAN     NOT NULL,
    CONSTRAINT tier_limits_pk PRIMARY KEY (tier, valid_from),
    CONSTRAINT tier_limits_tier_exists FOREIGN KEY (tier) REFERENCES tiers (code),
    CONSTRAINT tier_limits_are_positive CHECK (
        max_balance > 0 AND max_top_up > 0 AND max_payment > 0 AND max_load_month > 0 AND max_load_year > 0
        AND max_debit_day > 0 AND max_debit_month > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO tiers (code, for_merchants) VALUES ('small', FALSE), ('full', FALSE), ('merchant', TRUE);

-- RBI's Master Directions on prepaid instruments of 27 August 2021: the small and the full-KYC one. What merchants take
-- is no stored value of theirs to be capped, so their tier is an operator's to give.
INSERT IGNORE INTO tier_limits
    (tier, valid_from, max_balance, max_top_up, max_payment, max_load_month, max_load_year, max_debit_day,
     max_debit_month, person_to_person, withdrawals)
VALUES
    ('small',    '2021-08-27',  1000000,  1000000, 1000000, 1000000, 12000000, NULL, 1000000, FALSE, FALSE),
    ('full',     '2021-08-27', 20000000, 20000000,    NULL,    NULL,     NULL, NULL,    NULL, TRUE,  TRUE),
    ('merchant', '2021-08-27',     NULL, 20000000,    NULL,    NULL,     NULL, NULL,    NULL, TRUE,  TRUE);

-- What a movement costs, from a day on; without a row it is free. `payment` is taken from a merchant who is paid,
-- `withdrawal` from who withdraws. The fee is `flat` and so many basis points (1/100 of a percent) of the amount,
-- half a paisa rounded up.
CREATE TABLE IF NOT EXISTS fee_rates (
    movement     VARCHAR(10)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    valid_from   DATETIME(6)  NOT NULL,
    basis_points INT UNSIGNED NOT NULL,
    flat         BIGINT       NOT NULL,
    CONSTRAINT fee_rates_pk PRIMARY KEY (movement, valid_from),
    CONSTRAINT fee_rates_movement_is_known CHECK (movement IN ('payment', 'withdrawal')),
    CONSTRAINT fee_rates_are_fees CHECK (basis_points <= 1000 AND flat BETWEEN 0 AND 1000000)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- `balance` is the sum of the wallet's postings and `entries` their number; the posting kernel alone writes either,
-- in the commit that writes the posting. `held` is the part of `balance` that is promised, `held_changes` the number of
-- its changes. A hot wallet has more rows, in wallet_slots, which take what it is paid: `slots` is how many rows it has with
-- this one (they only grow), `spread` how many of them, with this one, are in use now. `last_entry_at` is the wallet's
-- time: of its last posting, or its last change of what is held. The `usage_…` columns say which Indian day, month and
-- year the sums behind them are of: a sum of another period is nothing.
--
-- `debits`: how many payments, holds and withdrawals of the wallet are counted in the hour that ends then (`debits_until`), in
-- the statement that counts their sum. `session_generation` is that of its owner's sessions. `unconfirmed_day`: what was
-- debited without a confirmation on the Indian day `unconfirmed_on`. `paused_until`: until then nothing is confirmed, and what
-- was asked for before waits.
CREATE TABLE IF NOT EXISTS wallets (
    id            BINARY(16)  NOT NULL,
    user_id       BINARY(16)  NOT NULL,
    tier          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    currency      CHAR(3)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status        VARCHAR(8)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    balance       BIGINT      NOT NULL,
    held          BIGINT      NOT NULL,
    entries       BIGINT      NOT NULL,
    held_changes  BIGINT      NOT NULL DEFAULT 0,
    slots         TINYINT UNSIGNED NOT NULL DEFAULT 1,
    spread        TINYINT UNSIGNED NOT NULL DEFAULT 1,
    last_entry_at DATETIME(6) NOT NULL,
    usage_day     DATE        NOT NULL DEFAULT '1970-01-01',
    debited_day   BIGINT      NOT NULL DEFAULT 0,
    usage_month   DATE        NOT NULL DEFAULT '1970-01-01',
    debited_month BIGINT      NOT NULL DEFAULT 0,
    loaded_month  BIGINT      NOT NULL DEFAULT 0,
    usage_year    DATE        NOT NULL DEFAULT '1970-01-01',
    loaded_year   BIGINT      NOT NULL DEFAULT 0,
    created_at    DATETIME(6) NOT NULL,
    debits        INT UNSIGNED NOT NULL DEFAULT 0,
    debits_until  DATETIME(6) NOT NULL DEFAULT '1970-01-01',
    session_generation INT UNSIGNED NOT NULL DEFAULT 0,
    unconfirmed_day BIGINT    NOT NULL DEFAULT 0,
    unconfirmed_on DATE       NULL,
    paused_until  DATETIME(6) NULL,
    CONSTRAINT wallets_pk PRIMARY KEY (id),
    CONSTRAINT wallets_user_has_one UNIQUE (user_id),
    CONSTRAINT wallets_user_exists FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT wallets_tier_exists FOREIGN KEY (tier) REFERENCES tiers (code),
    CONSTRAINT wallets_status_is_known CHECK (status IN ('active', 'frozen', 'closing', 'closed')),
    CONSTRAINT wallets_currency_is_inr CHECK (currency = 'INR'),
    CONSTRAINT wallets_balance_is_never_negative CHECK (balance >= 0),
    CONSTRAINT wallets_held_is_covered CHECK (held BETWEEN 0 AND balance),
    CONSTRAINT wallets_spread_over_slots CHECK (spread BETWEEN 1 AND slots AND slots <= 16),
    CONSTRAINT wallets_usage_is_never_negative
        CHECK (debited_day >= 0 AND debited_month >= 0 AND loaded_month >= 0 AND loaded_year >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Further rows of a hot wallet, so that many who pay it at once don't queue on one. Only credits go here; whatever
-- leaves is first gathered into the wallet's own row, which is slot 0.
CREATE TABLE IF NOT EXISTS wallet_slots (
    wallet_id     BINARY(16)       NOT NULL,
    slot          TINYINT UNSIGNED NOT NULL,
    balance       BIGINT           NOT NULL,
    entries       BIGINT           NOT NULL,
    last_entry_at DATETIME(6)      NOT NULL,
    CONSTRAINT wallet_slots_pk PRIMARY KEY (wallet_id, slot),
    CONSTRAINT wallet_slots_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id),
    CONSTRAINT wallet_slots_are_numbered CHECK (slot BETWEEN 1 AND 15),
    CONSTRAINT wallet_slots_balance_is_never_negative CHECK (balance >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Wallets that their owner has frozen, and the moment at which a proof undoes that. What an operator freezes is not in here.
CREATE TABLE IF NOT EXISTS own_freezes (
    wallet_id   BINARY(16)  NOT NULL,
    frozen_at   DATETIME(6) NOT NULL,
    unfreeze_at DATETIME(6) NULL,
    CONSTRAINT own_freezes_pk PRIMARY KEY (wallet_id),
    CONSTRAINT own_freezes_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id),
    INDEX own_freezes_by_end (unfreeze_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
