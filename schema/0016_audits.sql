-- The audits that were made. Each goes on with the checkpoint that the one before had no time for.

CREATE TABLE IF NOT EXISTS audits (
    id          BINARY(16)   NOT NULL,
    outcome     VARCHAR(10)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    checkpoints BIGINT       NOT NULL,
    verified    BIGINT       NOT NULL,
    next_number BIGINT       NOT NULL,
    faults      MEDIUMTEXT   CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    ended_at    DATETIME(6)  NOT NULL,
    CONSTRAINT audits_pk PRIMARY KEY (id),
    CONSTRAINT audits_outcome_is_known CHECK (outcome IN ('passed', 'broken', 'unfinished')),
    CONSTRAINT audits_passed_is_all CHECK (outcome <> 'passed' OR verified = checkpoints),
    CONSTRAINT audits_next_is_a_checkpoint CHECK (next_number > 0),
    INDEX audits_by_time (ended_at, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS audits_are_not_changed;
CREATE TRIGGER audits_are_not_changed BEFORE UPDATE ON audits FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what an audit found stays';

DROP TRIGGER IF EXISTS audits_are_kept;
CREATE TRIGGER audits_are_kept BEFORE DELETE ON audits FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what an audit found stays';

-- Writes down what an audit came to: 'done' also for the same audit again. `p_faults` is a JSON array of texts.
DROP PROCEDURE IF EXISTS note_audit;
DELIMITER //
CREATE PROCEDURE note_audit(
    IN p_audit_id BINARY(16),
    IN p_outcome VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_checkpoints BIGINT,
    IN p_verified BIGINT,
    IN p_next_number BIGINT,
    IN p_faults MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    INSERT INTO audits (id, outcome, checkpoints, verified, next_number, faults, ended_at)
    SELECT p_audit_id, p_outcome, p_checkpoints, p_verified, p_next_number, p_faults, UTC_TIMESTAMP(6)
    FROM (SELECT 1) one WHERE NOT EXISTS (SELECT 1 FROM audits WHERE id = p_audit_id);
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;
