-- Money out: what is set aside for a withdrawal, the payout, and what its provider says became of it. What the provider says
-- is believed only as far as it agrees with what was asked: our withdrawal, its amount, its currency, one payout.
--
-- A withdrawal that nobody was asked to pay yet is paused when the wallet is frozen, and its owner may cancel it.
--
-- Locks: idempotency record, withdrawal, wallet.

-- Money that leaves for a UPI address. It is held from the request on, leaves the wallet when the provider has paid, and
-- is free again if it never will.
--
-- `asked`: somebody may have been asked to pay it, from `asked_at` on (NULL: since it was created). It is committed before
-- the provider is called, and never taken back. `waits_until`: before nobody is asked to pay it.
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
    asked              BOOLEAN      NOT NULL DEFAULT TRUE,
    asked_at           DATETIME(6)  NULL,
    waits_until        DATETIME(6)  NULL,
    CONSTRAINT withdrawals_pk PRIMARY KEY (id),
    CONSTRAINT withdrawals_payout_is_unique UNIQUE (provider, provider_payout_id),
    CONSTRAINT withdrawals_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id),
    CONSTRAINT withdrawals_amount_is_positive CHECK (amount > 0 AND fee >= 0),
    CONSTRAINT withdrawals_status_is_known CHECK (status IN ('pending', 'succeeded', 'failed', 'reversed')),
    INDEX withdrawals_by_next_check (next_check_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

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

DROP TRIGGER IF EXISTS withdrawals_stay_asked;
DELIMITER //
CREATE TRIGGER withdrawals_stay_asked BEFORE UPDATE ON withdrawals FOR EACH ROW
BEGIN
    IF OLD.asked AND NOT NEW.asked THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'who may have been asked to pay a withdrawal stays asked';
    END IF;
END//
DELIMITER ;
