-- What operators do to wallets: by name, for a reason, under a key, and written down in the commit that does it. Operators are
-- who IAM says they are, and what moves money, sets a tier or gives an account another phone takes two of them: one asks,
-- another approves within a day.

-- The operators' journal. `subject_id` is what was acted on beside the wallet (a refund to source), `detail` is JSON.
CREATE TABLE IF NOT EXISTS operator_actions (
    id         BINARY(16)   NOT NULL,
    operator   VARCHAR(64)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    command    VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    wallet_id  BINARY(16)   NULL,
    subject_id BINARY(16)   NULL,
    reason     VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    detail     TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    created_at DATETIME(6)  NOT NULL,
    CONSTRAINT operator_actions_pk PRIMARY KEY (id),
    CONSTRAINT operator_actions_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id),
    INDEX operator_actions_by_time (created_at),
    INDEX operator_actions_by_subject (subject_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What was asked for. A row moves forward once, from waiting to approved or cancelled; a day after it was asked it is over.
-- `arguments` is the command as it was sent, JSON; `actor_id`, `idem_key` and `request_hash` are what it is carried out
-- under. `action_id` is the line of `operator_actions`, whose operator is who approved.
CREATE TABLE IF NOT EXISTS operator_requests (
    id           BINARY(16)    NOT NULL,
    actor_id     BINARY(16)    NOT NULL,
    idem_key     VARBINARY(64) NOT NULL,
    request_hash BINARY(32)    NOT NULL,
    asked_by     VARCHAR(64)   CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    command      VARCHAR(32)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    arguments    TEXT          CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    reason       VARCHAR(200)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    asked_at     DATETIME(6)   NOT NULL,
    expires_at   DATETIME(6)   NOT NULL,
    cancelled_at DATETIME(6)   NULL,
    approved_by  VARCHAR(64)   CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    approved_at  DATETIME(6)   NULL,
    action_id    BINARY(16)    NULL,
    CONSTRAINT operator_requests_pk PRIMARY KEY (id),
    CONSTRAINT operator_requests_key_is_once UNIQUE (actor_id, idem_key),
    CONSTRAINT operator_requests_take_two_people CHECK (LOWER(approved_by) <> LOWER(asked_by)),
    CONSTRAINT operator_requests_are_approved_in_time CHECK (approved_at < expires_at),
    CONSTRAINT operator_requests_are_approved_whole
        CHECK ((approved_by IS NULL) = (approved_at IS NULL) AND (approved_by IS NULL) = (action_id IS NULL)),
    CONSTRAINT operator_requests_end_once CHECK (approved_at IS NULL OR cancelled_at IS NULL),
    INDEX operator_requests_by_end (expires_at, id),
    INDEX operator_requests_by_action (action_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS operator_actions_are_not_changed;
CREATE TRIGGER operator_actions_are_not_changed BEFORE UPDATE ON operator_actions FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the journal of operators only grows';

DROP TRIGGER IF EXISTS operator_actions_are_kept;
CREATE TRIGGER operator_actions_are_kept BEFORE DELETE ON operator_actions FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the journal of operators only grows';

DROP TRIGGER IF EXISTS operator_requests_move_forward;
DELIMITER //
CREATE TRIGGER operator_requests_move_forward BEFORE UPDATE ON operator_requests FOR EACH ROW
BEGIN
    IF OLD.approved_at IS NOT NULL OR OLD.cancelled_at IS NOT NULL
            OR NOT (NEW.id = OLD.id AND NEW.actor_id = OLD.actor_id AND NEW.idem_key = OLD.idem_key
                    AND NEW.request_hash = OLD.request_hash AND NEW.asked_by = OLD.asked_by
                    AND NEW.command = OLD.command AND NEW.arguments = OLD.arguments AND NEW.reason = OLD.reason
                    AND NEW.asked_at = OLD.asked_at AND NEW.expires_at = OLD.expires_at) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a request of an operator stays what was asked, and ends once';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS operator_requests_are_kept;
CREATE TRIGGER operator_requests_are_kept BEFORE DELETE ON operator_requests FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the requests of operators are kept';
