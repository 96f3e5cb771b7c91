-- Makes a wallet hot, or ends that: from now on payments and captures are credited to its slots below `p_spread`, if there are any.
-- Nobody waits for it longer than for a payment, and what is in a row that is no longer used still counts.
CREATE PROCEDURE spread_credits(IN p_wallet_id BINARY(16), IN p_spread TINYINT UNSIGNED)
MODIFIES SQL DATA
BEGIN
    DECLARE v_slots TINYINT UNSIGNED DEFAULT NULL;
    DECLARE v_last DATETIME(6) DEFAULT NULL;

    SELECT slots, last_entry_at INTO v_slots, v_last FROM wallets WHERE id = p_wallet_id FOR UPDATE;
    WHILE v_slots < p_spread DO
        INSERT INTO wallet_slots (wallet_id, slot, balance, entries, last_entry_at)
        VALUES (p_wallet_id, v_slots, 0, 0, v_last);
        SET v_slots = v_slots + 1;
    END WHILE;
    UPDATE wallets SET slots = v_slots, spread = p_spread WHERE id = p_wallet_id;
END
