-- Internal. Ends a payer's holds whose time has passed, though the sweep be late; `p_ended` is how many. The wallet is locked.
CREATE PROCEDURE end_lapsed_holds(IN p_wallet_id BINARY(16), OUT p_ended INT UNSIGNED)
MODIFIES SQL DATA
BEGIN
    DECLARE v_hold_id BINARY(16) DEFAULT NULL;
    DECLARE v_expired_at DATETIME(6) DEFAULT '1970-01-01';
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);

    SET p_ended = 0;
    expiring: LOOP
        SET v_hold_id = NULL;
        -- by the payer's index and no other: that of all expiries would lock holds of wallets that are not locked;
        -- and not from its beginning, where those are that have just been ended
        SELECT id, expires_at INTO v_hold_id, v_expired_at FROM holds FORCE INDEX (holds_of_payer)
        WHERE payer_wallet_id = p_wallet_id AND status = 'placed' AND expires_at BETWEEN v_expired_at AND v_now
        ORDER BY expires_at LIMIT 1 FOR UPDATE;
        IF v_hold_id IS NULL THEN
            LEAVE expiring;
        END IF;
        CALL end_hold(v_hold_id, 'expired', v_now);
        SET p_ended = p_ended + 1;
    END LOOP;
END
