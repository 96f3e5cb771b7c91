-- Internal. Takes the phone from the account that has it: its sessions end, and unless its wallet is closed, that is frozen
-- until an operator has looked. The user is locked.
CREATE PROCEDURE detach_phone(IN p_user_id BINARY(16), IN p_at DATETIME(6))
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;

    CALL end_sessions(p_user_id, NULL, NULL, p_at);
    INSERT INTO former_phones (phone, user_id, ended_at) SELECT phone, id, p_at FROM users WHERE id = p_user_id;
    UPDATE users SET former_phone = phone, phone = NULL WHERE id = p_user_id;
    DELETE FROM proved_phones WHERE user_id = p_user_id;
    SELECT id INTO v_wallet_id FROM wallets WHERE user_id = p_user_id AND status <> 'closed';
    DELETE FROM own_freezes WHERE wallet_id = v_wallet_id;
    UPDATE wallets SET status = 'frozen' WHERE id = v_wallet_id AND status = 'active';
    IF ROW_COUNT() > 0 THEN
        CALL note_event(v_wallet_id, NULL, 'WalletFrozen', JSON_OBJECT('reason', 'phone_replaced'), p_at);
    END IF;
END
