-- Ends a withdrawal of which the provider surely has no payout, and will have none. Only while none is known.
CREATE PROCEDURE reject_withdrawal(
    IN p_withdrawal_id BINARY(16),
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_open BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT status = 'pending' AND provider_payout_id IS NULL INTO v_open
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    IF v_open THEN
        CALL free_withdrawal(p_withdrawal_id, p_reason);
    END IF;
    COMMIT;
    SELECT IF(v_open, 'done', 'not_open') AS outcome, NULL AS result;
END
