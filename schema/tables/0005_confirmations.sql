-- Confirmations: money out takes a second factor, by default all of it. A request that a rule of its tier wants confirmed
-- is refused, and a row here says what it was for; once that row is granted, the same request under the same key
-- goes through and uses it up in the commit of the money. So what moves money needs no cryptography for it.
--
-- And what waits: withdrawals to a VPA that a wallet has not known for long, and after a reset of the password whatever needs
-- a confirmation, or goes on without a session.

-- What of a tier's money out is confirmed, from which moment on; amounts are minor units, NULL is no such rule. A debit above
-- `above`, one that brings the day's sum of unconfirmed ones above `day_above`, one above `new_payee_above` to somebody to
-- whom none has been confirmed before, and each withdrawal to a VPA that is new. `new_vpa_wait_s`: for so long the first
-- withdrawals to a VPA wait. `reset_wait_s`: for so long nothing is confirmed after a reset of the password.
CREATE TABLE IF NOT EXISTS confirmation_rules (
    tier            VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    valid_from      DATETIME(6)  NOT NULL,
    above           BIGINT       NULL,
    day_above       BIGINT       NULL,
    new_payee_above BIGINT       NULL,
    new_vpa         BOOLEAN      NOT NULL DEFAULT FALSE,
    new_vpa_wait_s  INT UNSIGNED NOT NULL DEFAULT 0,
    reset_wait_s    INT UNSIGNED NOT NULL DEFAULT 0,
    CONSTRAINT confirmation_rules_pk PRIMARY KEY (tier, valid_from),
    CONSTRAINT confirmation_rules_tier_exists FOREIGN KEY (tier) REFERENCES tiers (code),
    CONSTRAINT confirmation_rules_are_amounts CHECK (above >= 0 AND day_above >= 0 AND new_payee_above >= 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What payments, holds and captures are judged by: what is in force for a tier, in one row, until the next rule of it begins. Written
-- by `renew_rules` for who finds that it has lapsed, which it has from the commit on that adds a rule (the triggers below). The
-- audit compares it with the dated rows (`rules_are_in_force`). A fee is for all tiers: who adds a tier locks all rows, and so
-- waits for who adds a fee; and who adds a fee marks them twice, or would have passed the row of a tier that came while they
-- waited.
CREATE TABLE IF NOT EXISTS rules_in_force (
    tier                    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    valid_from              DATETIME(6) NOT NULL DEFAULT '1970-01-01',
    valid_until             DATETIME(6) NOT NULL DEFAULT '1970-01-01',
    for_merchants           BOOLEAN     NOT NULL DEFAULT FALSE,
    max_balance             BIGINT      NULL,
    max_payment             BIGINT      NULL,
    max_load_month          BIGINT      NULL,
    max_load_year           BIGINT      NULL,
    max_debit_day           BIGINT      NULL,
    max_debit_month         BIGINT      NULL,
    person_to_person        BOOLEAN     NOT NULL DEFAULT FALSE,
    confirm_above           BIGINT      NULL,
    confirm_day_above       BIGINT      NULL,
    confirm_new_payee_above BIGINT      NULL,
    payees_are_charged      BOOLEAN     NOT NULL DEFAULT FALSE,
    CONSTRAINT rules_in_force_pk PRIMARY KEY (tier),
    CONSTRAINT rules_in_force_tier_exists FOREIGN KEY (tier) REFERENCES tiers (code) ON DELETE CASCADE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO rules_in_force (tier) SELECT code FROM tiers;

DROP TRIGGER IF EXISTS tiers_have_rules;
DELIMITER //
CREATE TRIGGER tiers_have_rules AFTER INSERT ON tiers FOR EACH ROW
BEGIN
    UPDATE rules_in_force SET valid_until = valid_until;
    INSERT INTO rules_in_force (tier) VALUES (NEW.code);
END//
DELIMITER ;

DROP TRIGGER IF EXISTS tiers_are_changed;
CREATE TRIGGER tiers_are_changed AFTER UPDATE ON tiers FOR EACH ROW
    UPDATE rules_in_force SET valid_until = '1970-01-01' WHERE tier = NEW.code;

DROP TRIGGER IF EXISTS tier_limits_are_added;
CREATE TRIGGER tier_limits_are_added AFTER INSERT ON tier_limits FOR EACH ROW
    UPDATE rules_in_force SET valid_until = '1970-01-01' WHERE tier = NEW.tier;

DROP TRIGGER IF EXISTS tier_limits_are_changed;
CREATE TRIGGER tier_limits_are_changed AFTER UPDATE ON tier_limits FOR EACH ROW
    UPDATE rules_in_force SET valid_until = '1970-01-01' WHERE tier IN (OLD.tier, NEW.tier);

DROP TRIGGER IF EXISTS tier_limits_are_taken_back;
CREATE TRIGGER tier_limits_are_taken_back AFTER DELETE ON tier_limits FOR EACH ROW
    UPDATE rules_in_force SET valid_until = '1970-01-01' WHERE tier = OLD.tier;

DROP TRIGGER IF EXISTS confirmation_rules_are_added;
CREATE TRIGGER confirmation_rules_are_added AFTER INSERT ON confirmation_rules FOR EACH ROW
    UPDATE rules_in_force SET valid_until = '1970-01-01' WHERE tier = NEW.tier;

DROP TRIGGER IF EXISTS confirmation_rules_are_changed;
CREATE TRIGGER confirmation_rules_are_changed AFTER UPDATE ON confirmation_rules FOR EACH ROW
    UPDATE rules_in_force SET valid_until = '1970-01-01' WHERE tier IN (OLD.tier, NEW.tier);

DROP TRIGGER IF EXISTS confirmation_rules_are_taken_back;
CREATE TRIGGER confirmation_rules_are_taken_back AFTER DELETE ON confirmation_rules FOR EACH ROW
    UPDATE rules_in_force SET valid_until = '1970-01-01' WHERE tier = OLD.tier;

DROP TRIGGER IF EXISTS fee_rates_are_added;
DELIMITER //
CREATE TRIGGER fee_rates_are_added AFTER INSERT ON fee_rates FOR EACH ROW
BEGIN
    UPDATE rules_in_force SET valid_until = '1970-01-01';
    UPDATE rules_in_force SET valid_until = '1970-01-01';
END//
DELIMITER ;

DROP TRIGGER IF EXISTS fee_rates_are_changed;
DELIMITER //
CREATE TRIGGER fee_rates_are_changed AFTER UPDATE ON fee_rates FOR EACH ROW
BEGIN
    UPDATE rules_in_force SET valid_until = '1970-01-01';
    UPDATE rules_in_force SET valid_until = '1970-01-01';
END//
DELIMITER ;

DROP TRIGGER IF EXISTS fee_rates_are_taken_back;
DELIMITER //
CREATE TRIGGER fee_rates_are_taken_back AFTER DELETE ON fee_rates FOR EACH ROW
BEGIN
    UPDATE rules_in_force SET valid_until = '1970-01-01';
    UPDATE rules_in_force SET valid_until = '1970-01-01';
END//
DELIMITER ;

-- Who may confirm what: it is bound to the caller, their key, what was asked under it, and the wallet or VPA that this came to
-- and the amount, which the commit compares once more. `code_hash` is a keyed hash. `session_quota` is what its
-- codes are counted under until it is used. `granted_until`: from its grant on for so long it may be used, in sessions of the
-- generation `granted_in`, by what is in `used_for`. One that was used stays, as evidence.
CREATE TABLE IF NOT EXISTS confirmations (
    id              BINARY(16)   NOT NULL,
    user_id         BINARY(16)   NOT NULL,
    idem_key        VARBINARY(64) NOT NULL,
    request_hash    BINARY(32)   NOT NULL,
    kind            VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    payee_wallet_id BINARY(16)   NULL,
    vpa             VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NULL,
    payee_name      VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    amount          BIGINT       NOT NULL,
    currency        CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at      DATETIME(6)  NOT NULL,
    expires_at      DATETIME(6)  NOT NULL,
    code_hash       BINARY(32)   NULL,
    code_sent_at    DATETIME(6)  NULL,
    session_quota   BINARY(32)   NULL,
    codes           TINYINT UNSIGNED NOT NULL DEFAULT 0,
    tries           TINYINT UNSIGNED NOT NULL DEFAULT 0,
    method          VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NULL,
    granted_at      DATETIME(6)  NULL,
    granted_until   DATETIME(6)  NULL,
    granted_in      INT UNSIGNED NULL,
    used_for        BINARY(16)   NULL,
    CONSTRAINT confirmations_pk PRIMARY KEY (id),
    CONSTRAINT confirmations_are_used_once UNIQUE (used_for),
    CONSTRAINT confirmations_user_exists FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT confirmations_kind_is_known CHECK (kind IN (
        'payment', 'hold', 'withdrawal', 'bulk_payment', 'new_passkey', 'lost_passkey', 'new_name', 'new_phone')),
    CONSTRAINT confirmations_method_is_known CHECK (method IN ('sms', 'passkey')),
    CONSTRAINT confirmations_used_were_granted CHECK (used_for IS NULL OR granted_at IS NOT NULL),
    INDEX confirmations_of_request (user_id, idem_key, request_hash),
    INDEX confirmations_by_end (expires_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- To whom a wallet's owner has confirmed a payment or a hold.
CREATE TABLE IF NOT EXISTS known_payees (
    wallet_id       BINARY(16)  NOT NULL,
    payee_wallet_id BINARY(16)  NOT NULL,
    CONSTRAINT known_payees_pk PRIMARY KEY (wallet_id, payee_wallet_id),
    -- and none on the payee: it would lock a wallet that everybody pays, out of its turn
    CONSTRAINT known_payees_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- VPAs that a wallet's withdrawals have gone to, or will from `known_from` on.
CREATE TABLE IF NOT EXISTS known_vpas (
    wallet_id  BINARY(16)   NOT NULL,
    vpa        VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    known_from DATETIME(6)  NOT NULL,
    CONSTRAINT known_vpas_pk PRIMARY KEY (wallet_id, vpa),
    CONSTRAINT known_vpas_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
