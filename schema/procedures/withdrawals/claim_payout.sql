-- Allows the provider to be asked for the first time: 'done' to one caller, once. 'paused' while the wallet is not active:
-- who freezes it takes the same lock. 'taken' if it was allowed before, or the withdrawal has ended.
CREATE PROCEDURE claim_payout(IN p_withdrawal_id BINARY(16))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'taken';
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_open, v_waits BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT wallet_id, status = 'pending' AND NOT asked, COALESCE(waits_until > UTC_TIMESTAMP(6), FALSE)
    INTO v_wallet_id, v_open, v_waits
    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;
    IF v_open THEN
        SELECT status, v_waits OR COALESCE(paused_until > UTC_TIMESTAMP(6), FALSE) INTO v_status, v_waits
        FROM wallets WHERE id = v_wallet_id FOR UPDATE;
        SET v_outcome = IF(v_status = 'active' AND NOT v_waits, 'done', 'paused');
    END IF;
    IF v_outcome = 'done' THEN
        UPDATE withdrawals SET asked = TRUE, asked_at = UTC_TIMESTAMP(6) WHERE id = p_withdrawal_id;
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END
