-- What happened, for others to hear: written in the commit of what it tells, delivered afterwards, at least once.

-- `wallet_id` is whose event it is and `other_wallet_id` the other side's; `detail` is JSON. A position may become
-- visible after a later one: what is to be delivered is what has no `delivered_at`, never what is beyond a position.
CREATE TABLE IF NOT EXISTS outbox (
    position        BIGINT       NOT NULL AUTO_INCREMENT,
    wallet_id       BINARY(16)   NOT NULL,
    other_wallet_id BINARY(16)   NULL,
    type            VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    detail          TEXT         CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    created_at      DATETIME(6)  NOT NULL,
    delivered_at    DATETIME(6)  NULL,
    CONSTRAINT outbox_pk PRIMARY KEY (position),
    INDEX outbox_by_delivery (delivered_at, position)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who delivers now: one relay at a time, or two would mix up the order of a wallet's events.
CREATE TABLE IF NOT EXISTS relays (
    name         VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    owner        BINARY(16)  NOT NULL,
    leased_until DATETIME(6) NOT NULL,
    CONSTRAINT relays_pk PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

INSERT IGNORE INTO relays (name, owner, leased_until) VALUES
    ('outbox', UNHEX('00000000000000000000000000000000'), UTC_TIMESTAMP(6));

-- Takes or renews the lease for so many seconds, 0 to give it back: 'done', or 'taken' while another has it.
DROP PROCEDURE IF EXISTS claim_relay;
DELIMITER //
CREATE PROCEDURE claim_relay(
    IN p_owner BINARY(16),
    IN p_lease_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_mine BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT owner = p_owner OR leased_until <= UTC_TIMESTAMP(6) INTO v_mine
    FROM relays WHERE name = 'outbox' FOR UPDATE;
    IF v_mine THEN
        UPDATE relays SET owner = p_owner, leased_until = UTC_TIMESTAMP(6) + INTERVAL p_lease_seconds SECOND
        WHERE name = 'outbox';
    END IF;
    COMMIT;
    SELECT IF(v_mine, 'done', 'taken') AS outcome, NULL AS result;
END//
DELIMITER ;

-- Writes down what has been delivered (`p_positions` is a JSON array), and renews the lease in the same round trip:
-- 'done', or 'taken' if another relay has taken over meanwhile. What was delivered was delivered, whoever has the lease.
DROP PROCEDURE IF EXISTS mark_events_delivered;
DELIMITER //
CREATE PROCEDURE mark_events_delivered(
    IN p_owner BINARY(16),
    IN p_lease_seconds INT,
    IN p_positions TEXT CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_mine BOOLEAN DEFAULT FALSE;
    DECLARE v_next INT DEFAULT 0;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT owner = p_owner INTO v_mine FROM relays WHERE name = 'outbox' FOR UPDATE;
    IF v_mine THEN
        UPDATE relays SET leased_until = v_now + INTERVAL p_lease_seconds SECOND WHERE name = 'outbox';
    END IF;
    WHILE v_next < JSON_LENGTH(p_positions) DO
        UPDATE outbox SET delivered_at = v_now
        WHERE position = CAST(JSON_EXTRACT(p_positions, CONCAT('$[', v_next, ']')) AS UNSIGNED)
          AND delivered_at IS NULL;
        SET v_next = v_next + 1;
    END WHILE;
    COMMIT;
    SELECT IF(v_mine, 'done', 'taken') AS outcome, NULL AS result;
END//
DELIMITER ;

-- Forgets events that were delivered more than so many days ago, at most `p_limit` of them. What they tell of stays in
-- the ledger.
DROP PROCEDURE IF EXISTS sweep_events;
DELIMITER //
CREATE PROCEDURE sweep_events(
    IN p_kept_days INT,
    IN p_limit INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DELETE FROM outbox WHERE delivered_at < UTC_TIMESTAMP(6) - INTERVAL p_kept_days DAY
    ORDER BY delivered_at, position LIMIT p_limit;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;
