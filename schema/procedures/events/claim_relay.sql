-- Takes or renews the lease for so many seconds, 0 to give it back: 'done', or 'taken' while another has it.
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
END
