-- Writes down what has been delivered, and renews the lease in the same round trip: 'done', or 'taken' if another relay has
-- taken over meanwhile. What was delivered was delivered, whoever has the lease. `p_stretches` is a JSON array of the first and
-- last positions of stretches of which every number was delivered: one UPDATE for each.
CREATE PROCEDURE mark_events_delivered(
    IN p_owner BINARY(16),
    IN p_lease_seconds INT,
    IN p_stretches TEXT CHARACTER SET ascii COLLATE ascii_bin
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
    WHILE v_next < JSON_LENGTH(p_stretches) DO
        UPDATE outbox FORCE INDEX (PRIMARY) SET delivered_at = v_now
        WHERE position BETWEEN CAST(JSON_EXTRACT(p_stretches, CONCAT('$[', v_next, '][0]')) AS UNSIGNED)
                           AND CAST(JSON_EXTRACT(p_stretches, CONCAT('$[', v_next, '][1]')) AS UNSIGNED)
          AND delivered_at IS NULL;
        SET v_next = v_next + 1;
    END WHILE;
    COMMIT;
    SELECT IF(v_mine, 'done', 'taken') AS outcome, NULL AS result;
END
