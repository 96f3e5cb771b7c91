-- The postings of a transaction, as they are sealed.
CREATE PROCEDURE list_sealed_postings(IN p_transaction_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT line, account_id, slot, type, side, amount, entry_no, balance_after, created_at
    FROM postings WHERE transaction_id = p_transaction_id ORDER BY line;
    COMMIT AND NO CHAIN NO RELEASE;
END
