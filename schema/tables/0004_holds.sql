-- What is promised of a wallet: holds (payments in two steps), and the history of what each wallet holds.

-- Money that a payer has promised to a payee. While it is `placed`, amount - captured of the payer's `held` is its.
-- The payee has no foreign key: its check would lock the payee's wallet behind the payer's, out of the order of all
-- locks, and everybody who places a hold for one merchant would queue there.
CREATE TABLE IF NOT EXISTS holds (
    id              BINARY(16)   NOT NULL,
    payer_wallet_id BINARY(16)   NOT NULL,
    payee_wallet_id BINARY(16)   NOT NULL,
    amount          BIGINT       NOT NULL,
    captured        BIGINT       NOT NULL,
    currency        CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status          VARCHAR(8)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    description     VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    created_at      DATETIME(6)  NOT NULL,
    expires_at      DATETIME(6)  NOT NULL,
    ended_at        DATETIME(6)  NULL,
    CONSTRAINT holds_pk PRIMARY KEY (id),
    CONSTRAINT holds_payer_exists FOREIGN KEY (payer_wallet_id) REFERENCES wallets (id),
    CONSTRAINT holds_amount_is_positive CHECK (amount > 0),
    CONSTRAINT holds_capture_is_covered CHECK (captured BETWEEN 0 AND amount),
    CONSTRAINT holds_status_is_known CHECK (status IN ('placed', 'captured', 'released', 'expired')),
    CONSTRAINT holds_end_once CHECK ((status = 'placed') = (ended_at IS NULL)),
    INDEX holds_of_payer (payer_wallet_id, status, expires_at),
    INDEX holds_by_expiry (status, expires_at),
    -- their rows end with the hold's id, so those of one status stand in the order of time
    INDEX holds_of_payer_in_order (payer_wallet_id, status),
    INDEX holds_of_payee_in_order (payee_wallet_id, status)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Every change of a wallet's `held`, numbered without a gap, with what is held behind it.
CREATE TABLE IF NOT EXISTS held_changes (
    wallet_id  BINARY(16)  NOT NULL,
    change_no  BIGINT      NOT NULL,
    amount     BIGINT      NOT NULL,
    held_after BIGINT      NOT NULL,
    cause      VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    cause_id   BINARY(16)  NOT NULL,
    created_at DATETIME(6) NOT NULL,
    CONSTRAINT held_changes_pk PRIMARY KEY (wallet_id, change_no),
    CONSTRAINT held_changes_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id),
    CONSTRAINT held_changes_never_negative CHECK (held_after >= 0 AND amount <> 0),
    CONSTRAINT held_changes_cause_is_known CHECK (cause IN ('hold', 'withdrawal', 'refund_to_source', 'dispute')),
    INDEX held_changes_by_time (wallet_id, created_at),
    INDEX held_changes_by_cause (cause_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS holds_move_forward_only;
DELIMITER //
CREATE TRIGGER holds_move_forward_only BEFORE UPDATE ON holds FOR EACH ROW
BEGIN
    IF OLD.status <> 'placed' OR NEW.captured < OLD.captured OR NOT (NEW.id = OLD.id AND NEW.amount = OLD.amount
            AND NEW.payer_wallet_id = OLD.payer_wallet_id AND NEW.payee_wallet_id = OLD.payee_wallet_id
            AND NEW.created_at = OLD.created_at AND NEW.expires_at = OLD.expires_at AND NEW.currency = OLD.currency
            AND NEW.description <=> OLD.description) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a hold that has ended does not change, nor what it promises';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS holds_are_kept;
CREATE TRIGGER holds_are_kept BEFORE DELETE ON holds FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'holds are kept';

DROP TRIGGER IF EXISTS held_changes_are_not_changed;
CREATE TRIGGER held_changes_are_not_changed BEFORE UPDATE ON held_changes FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the history of what is held only grows';

DROP TRIGGER IF EXISTS held_changes_are_kept;
CREATE TRIGGER held_changes_are_kept BEFORE DELETE ON held_changes FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the history of what is held only grows';
