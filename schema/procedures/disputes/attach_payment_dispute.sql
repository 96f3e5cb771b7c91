-- Looks at a dispute again whose payment was not in the books when it was told: it is about that payment's wallet now.
CREATE PROCEDURE attach_payment_dispute(IN p_dispute_id BINARY(16), IN p_seed_id BINARY(16))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_is_due BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT transaction_id IS NULL INTO v_is_due FROM payment_disputes WHERE id = p_dispute_id FOR UPDATE;
    IF v_is_due THEN
        CALL apply_payment_dispute(p_dispute_id, p_seed_id, 'books', FALSE, NULL);
    END IF;
    COMMIT;
    SELECT IF(v_is_due, 'done', 'duplicate') AS outcome, NULL AS result;
END
