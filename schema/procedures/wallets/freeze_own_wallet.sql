-- Its owner freezes a wallet: nothing leaves it, and every other session ends. Frozen again, it stays frozen and an end that
-- was asked for is called off, which is told of, too: with one session of their owner's a thief could otherwise keep a wallet
-- frozen day by day, and nobody would hear of it. What an operator has frozen stays theirs. Who asked before, and whose answer
-- was lost, comes with a token of before: their session goes on, and they have what they want.
CREATE PROCEDURE freeze_own_wallet(IN p_user_id BINARY(16), IN p_generation INT UNSIGNED, IN p_session_id BINARY(16))
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_is_news BOOLEAN DEFAULT TRUE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    IF v_outcome IS NULL THEN
        IF v_status = 'active' THEN
            UPDATE wallets SET status = 'frozen' WHERE id = v_wallet_id;
            INSERT INTO own_freezes (wallet_id, frozen_at) VALUES (v_wallet_id, v_now);
            CALL end_sessions(p_user_id, NULL, p_session_id, v_now);
        ELSE
            UPDATE own_freezes SET unfreeze_at = NULL WHERE wallet_id = v_wallet_id AND unfreeze_at IS NOT NULL;
            SET v_is_news = ROW_COUNT() > 0;
        END IF;
        IF v_is_news THEN
            CALL note_event(v_wallet_id, NULL, 'WalletFrozen', JSON_OBJECT('reason', 'owner'), v_now);
        END IF;
        SET v_outcome = 'done';
    ELSEIF EXISTS (SELECT 1 FROM own_freezes WHERE wallet_id = v_wallet_id AND unfreeze_at IS NULL)
        AND EXISTS (SELECT 1 FROM sessions WHERE id = p_session_id AND ended_at IS NULL) THEN
        SET v_outcome = 'done';
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END
