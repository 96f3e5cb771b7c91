-- The seals at some positions, in their order, with their forms.
CREATE PROCEDURE list_seals(IN p_first BIGINT, IN p_last BIGINT)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT position, transaction_id, salt, leaf, form FROM seals
    WHERE position BETWEEN p_first AND p_last ORDER BY position;
    COMMIT AND NO CHAIN NO RELEASE;
END
