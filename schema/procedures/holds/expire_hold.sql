-- Ends a hold whose time has passed: the sweep's work, one hold a commit.
CREATE PROCEDURE expire_hold(IN p_hold_id BINARY(16))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_payer_id, v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_due BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT payer_wallet_id INTO v_payer_id FROM holds WHERE id = p_hold_id;
    SELECT id INTO v_locked FROM wallets WHERE id = v_payer_id FOR UPDATE;
    SELECT status = 'placed' AND expires_at <= UTC_TIMESTAMP(6) INTO v_due FROM holds WHERE id = p_hold_id FOR UPDATE;
    IF v_due THEN
        CALL end_hold(p_hold_id, 'expired', UTC_TIMESTAMP(6));
    END IF;
    COMMIT;
    SELECT IF(v_due, 'done', 'ended_before') AS outcome, NULL AS result;
END
