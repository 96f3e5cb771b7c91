-- The transaction, as it is sealed.
CREATE PROCEDURE find_sealed_transaction(IN p_transaction_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT t.id, t.type, t.amount, t.currency, t.actor_id, t.description, t.reference, g.attempt_id, g.gateway,
           g.gateway_payment_id, g.suspense_reason, t.cause_id, h.hold_id, d.withdrawal_id, r.source_refund_id, t.created_at
    FROM transactions t
    LEFT JOIN gateway_payments g ON g.transaction_id = t.id
    LEFT JOIN hold_captures h ON h.transaction_id = t.id
    LEFT JOIN withdrawal_bookings d ON d.transaction_id = t.id
    LEFT JOIN source_refund_bookings r ON r.transaction_id = t.id
    WHERE t.id = p_transaction_id;
    COMMIT AND NO CHAIN NO RELEASE;
END
