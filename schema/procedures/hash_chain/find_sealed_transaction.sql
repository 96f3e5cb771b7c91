-- The transaction, as it is sealed.
CREATE PROCEDURE find_sealed_transaction(IN p_transaction_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT id, type, amount, currency, actor_id, description, reference, attempt_id, gateway, gateway_payment_id,
           suspense_reason, cause_id, hold_id, withdrawal_id, source_refund_id, created_at
    FROM transactions WHERE id = p_transaction_id;
    COMMIT AND NO CHAIN NO RELEASE;
END
