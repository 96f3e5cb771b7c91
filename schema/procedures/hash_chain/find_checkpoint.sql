-- A checkpoint by its number, with the one before it.
CREATE PROCEDURE find_checkpoint(IN p_number BIGINT)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT i.id AS ledger, c.*, b.digest AS digest_before, b.last_position AS last_before, b.chain AS chain_of_before,
           b.balances AS balances_before, b.first_position AS first_before, b.sealed_at AS sealed_before
    FROM ledger_identity i LEFT JOIN checkpoints c ON c.number = p_number LEFT JOIN checkpoints b ON b.number = p_number - 1;
    COMMIT AND NO CHAIN NO RELEASE;
END
