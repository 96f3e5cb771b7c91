-- Every event that can't be acted on is a break until an operator says what became of it, and so is every refund that was
-- begun at the gateway and that neither its wallet nor what is in suspense covers (until the gateway says that it failed).
-- A withdrawal about which an operator's order stands is asked about until that is carried out.
CREATE PROCEDURE tidy_breaks()
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    INSERT IGNORE INTO reconciliation_breaks
        (id, kind, gateway, subject, first_seen_at, open_since, last_seen_at)
    SELECT e.id, 'stuck_event', e.gateway, LOWER(HEX(e.id)), e.received_at, e.received_at, UTC_TIMESTAMP(6)
    FROM gateway_events e WHERE e.outcome = 'stuck';
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    INSERT IGNORE INTO reconciliation_breaks
        (id, kind, gateway, subject, their_amount, currency, first_seen_at, open_since, last_seen_at)
    SELECT r.id, 'uncovered_refund', r.gateway, r.gateway_refund_id, r.amount, r.currency, r.created_at, r.created_at,
           UTC_TIMESTAMP(6)
    FROM source_refunds r
    JOIN transactions t ON t.id = r.transaction_id
    LEFT JOIN reconciliation_breaks b ON b.id = r.id
    WHERE r.wallet_id IS NULL AND r.origin = 'gateway' AND r.status <> 'failed' AND b.id IS NULL
      AND (t.type = 'top_up' OR EXISTS (SELECT 1 FROM money_in_suspense m WHERE m.id = t.id AND m.rest < 0));
    UPDATE reconciliation_breaks
    SET resolved_at = UTC_TIMESTAMP(6), resolution = 'gone'
    WHERE kind = 'uncovered_refund' AND resolved_at IS NULL
      AND id IN (SELECT r.id FROM source_refunds r WHERE r.wallet_id IS NULL AND r.status = 'failed');
    COMMIT;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- from the few breaks that are open, so that no other withdrawal is locked
    UPDATE reconciliation_breaks b
    STRAIGHT_JOIN operator_actions o ON o.id = b.order_id
    STRAIGHT_JOIN withdrawals d ON d.id = o.subject_id
    SET d.next_check_at = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR
    WHERE b.resolved_at IS NULL AND b.order_id IS NOT NULL
      AND (d.next_check_at IS NULL OR d.next_check_at > UTC_TIMESTAMP(6) + INTERVAL 1 HOUR);
    COMMIT;
    SELECT 'done' AS outcome, NULL AS result;
END
