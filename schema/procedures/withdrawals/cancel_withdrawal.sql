-- Its owner cancels a withdrawal that nobody was asked to pay. Cancelled again it stays cancelled. A wallet that is frozen or
-- being closed stops nobody: nothing leaves it.
CREATE PROCEDURE cancel_withdrawal(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_withdrawal_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_made_id BINARY(16) DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_is_own BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_key(p_actor_id, p_key, p_request_hash, p_withdrawal_id, v_outcome, v_made_id);
    IF v_outcome = 'claimed' THEN
        -- before anything of it is locked (an IF would lock what it looks at): a stranger keeps nobody waiting
        SELECT EXISTS (SELECT 1 FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id
                       WHERE d.id = p_withdrawal_id AND w.user_id = p_actor_id) INTO v_is_own;
        IF v_is_own THEN
            CALL cancel_unsent_withdrawal(p_withdrawal_id, v_outcome);
        ELSE
            SET v_outcome = 'not_found';
        END IF;
        SELECT session_generation INTO v_generation FROM wallets WHERE user_id = p_actor_id;
        IF v_outcome <> 'not_found' AND v_generation <> p_generation THEN
            SET v_outcome = 'invalid_token';
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    IF v_outcome IN ('done', 'replayed') THEN
        -- one that was cancelled stays so
        SELECT v_outcome AS outcome, d.id AS withdrawal_id, d.status, d.amount, d.fee, d.currency, d.vpa, d.reason, d.created_at
        FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id
        WHERE d.id = COALESCE(v_made_id, p_withdrawal_id) AND w.user_id = p_actor_id;
    ELSE
        SELECT v_outcome AS outcome, NULL AS result;
    END IF;
END
