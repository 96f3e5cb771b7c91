-- Locks a wallet that money is to leave, or to be held in. All that decides is read by the statement that takes the
-- lock, never before it; and it locks the wallet alone (a join would lock the tier as well, and everybody would queue
-- there). Holds whose time has passed are ended first, though the sweep be late; then, if too little is available, a hot
-- wallet's slots are gathered, in order, until its own row has what is needed. Behind it, available is total - held.
-- `p_generation` is that of its owner's sessions: whoever asks in one compares it with the one they come with.
-- `p_unconfirmed` is what left today without a confirmation; until `p_paused_until` nothing is confirmed.
CREATE PROCEDURE lock_payer_with_usage(
    IN p_wallet_id BINARY(16),
    IN p_need BIGINT,
    IN p_transaction_id BINARY(16),
    OUT p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_total BIGINT,
    OUT p_held BIGINT,
    OUT p_last DATETIME(6),
    OUT p_generation INT UNSIGNED,
    OUT p_unconfirmed BIGINT,
    OUT p_paused_until DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_slots, v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_own, v_there BIGINT DEFAULT NULL;
    DECLARE v_there_last DATETIME(6) DEFAULT NULL;
    DECLARE v_gather_id BINARY(16) DEFAULT NULL;
    DECLARE v_ended INT UNSIGNED DEFAULT 0;

    SELECT status, tier, balance, held, last_entry_at, slots, session_generation, paused_until,
           IF(unconfirmed_on = DATE(GREATEST(UTC_TIMESTAMP(6), last_entry_at + INTERVAL 1 MICROSECOND) + INTERVAL 330 MINUTE),
              unconfirmed_day, 0)
    INTO p_status, p_tier, v_own, p_held, p_last, v_slots, p_generation, p_paused_until, p_unconfirmed
    FROM wallets WHERE id = p_wallet_id FOR UPDATE;

    IF p_held > 0 THEN
        CALL end_lapsed_holds(p_wallet_id, v_ended);
        IF v_ended > 0 THEN
            SELECT held INTO p_held FROM wallets WHERE id = p_wallet_id;
        END IF;
    END IF;

    WHILE v_own - p_held < p_need AND v_slot + 1 < v_slots DO
        SET v_slot = v_slot + 1;
        SELECT balance, last_entry_at INTO v_there, v_there_last
        FROM wallet_slots WHERE wallet_id = p_wallet_id AND slot = v_slot FOR UPDATE;
        IF v_there > 0 THEN
            SET p_last = GREATEST(
                UTC_TIMESTAMP(6), p_last + INTERVAL 1 MICROSECOND, v_there_last + INTERVAL 1 MICROSECOND);
            CALL derive_id(p_transaction_id, CONCAT('gather', v_slot), v_gather_id);
            INSERT INTO transactions (id, type, amount, currency, created_at)
            VALUES (v_gather_id, 'gather', v_there, 'INR', p_last);
            CALL post_entry(v_gather_id, p_wallet_id, v_slot, p_wallet_id, v_there, p_last);
            SET v_own = v_own + v_there;
        END IF;
    END WHILE;

    SET p_total = v_own;
    IF v_slots > 1 THEN
        SELECT p_total + COALESCE(SUM(balance), 0) INTO p_total FROM wallet_slots WHERE wallet_id = p_wallet_id;
    END IF;
END
