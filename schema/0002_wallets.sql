-- Layer 2, stored value: what a person has, and what of it is promised. Amounts are minor units (paise).

-- What a wallet may hold and move; NULL is no limit. RBI's small and full-KYC prepaid instruments, and merchants.
CREATE TABLE IF NOT EXISTS tiers (
    code        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    max_balance BIGINT NULL,
    max_top_up  BIGINT NULL,
    max_payment BIGINT NULL,
    CONSTRAINT tiers_pk PRIMARY KEY (code),
    CONSTRAINT tiers_limits_are_positive CHECK (max_balance > 0 AND max_top_up > 0 AND max_payment > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO tiers (code, max_balance, max_top_up, max_payment) VALUES
    ('small',    1000000,  1000000, 1000000),
    ('full',    20000000, 20000000, NULL),
    ('merchant',    NULL, 20000000, NULL);

-- `balance` is the sum of the wallet's postings and `entries` their number; the posting kernel alone writes either,
-- in the commit that writes the posting. `held` is the part of `balance` that is promised.
CREATE TABLE IF NOT EXISTS wallets (
    id            BINARY(16)  NOT NULL,
    user_id       BINARY(16)  NOT NULL,
    tier          VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    currency      CHAR(3)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status        VARCHAR(8)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    balance       BIGINT      NOT NULL,
    held          BIGINT      NOT NULL,
    entries       BIGINT      NOT NULL,
    last_entry_at DATETIME(6) NOT NULL,
    created_at    DATETIME(6) NOT NULL,
    CONSTRAINT wallets_pk PRIMARY KEY (id),
    CONSTRAINT wallets_user_has_one UNIQUE (user_id),
    CONSTRAINT wallets_user_exists FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT wallets_tier_exists FOREIGN KEY (tier) REFERENCES tiers (code),
    CONSTRAINT wallets_status_is_known CHECK (status IN ('active', 'frozen', 'closed')),
    CONSTRAINT wallets_currency_is_inr CHECK (currency = 'INR'),
    CONSTRAINT wallets_balance_is_never_negative CHECK (balance >= 0),
    CONSTRAINT wallets_held_is_covered CHECK (held BETWEEN 0 AND balance)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
