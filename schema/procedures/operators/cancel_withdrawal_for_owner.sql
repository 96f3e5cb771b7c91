-- Who can't get into their account, and is told that money is about to leave it, calls support: a withdrawal that nobody was
-- asked to pay can be cancelled by operators, too. A freeze alone only holds it up.
--
-- Cancels a withdrawal that nobody was asked to pay, as its owner may (`cancel_withdrawal`): 'withdrawal_sent' once somebody
-- may have been asked. What was set aside is its owner's again, so one person's word is enough.
CREATE PROCEDURE cancel_withdrawal_for_owner(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_withdrawal_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_command(p_actor_id, p_key, p_request_hash, p_action_id, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT wallet_id INTO v_wallet_id FROM withdrawals WHERE id = p_withdrawal_id;
        IF v_wallet_id IS NULL THEN
            SET v_outcome = 'not_found';
        ELSE
            CALL cancel_unsent_withdrawal(p_withdrawal_id, v_outcome);
        END IF;
        IF v_outcome = 'done' THEN
            SELECT JSON_OBJECT(
                'withdrawal_id', LOWER(HEX(id)), 'wallet_id', LOWER(HEX(wallet_id)), 'status', status, 'reason', reason,
                'amount', amount, 'fee', fee)
            INTO v_result FROM withdrawals WHERE id = p_withdrawal_id;
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'cancel_withdrawal',
                     v_wallet_id, p_withdrawal_id);
END
