-- Counts a debit for the limits, for who was named by it, and one without a confirmation for the rule about their sum. The
-- wallet is locked.
CREATE PROCEDURE record_debit_usage(
    IN p_wallet_id BINARY(16),
    IN p_amount BIGINT,
    IN p_at DATETIME(6),
    IN p_is_confirmed BOOLEAN
)
MODIFIES SQL DATA
BEGIN
    -- the Indian day and month of that moment (see periods_of)
    DECLARE v_day DATE DEFAULT DATE(p_at + INTERVAL 330 MINUTE);
    DECLARE v_month DATE DEFAULT v_day - INTERVAL (DAYOFMONTH(v_day) - 1) DAY;

    UPDATE wallets
    SET debited_day = IF(usage_day = v_day, debited_day, 0) + p_amount,
        debited_month = IF(usage_month = v_month, debited_month, 0) + p_amount,
        loaded_month = IF(usage_month = v_month, loaded_month, 0),
        usage_day = v_day,
        usage_month = v_month,
        debits = IF(debits_until > p_at, debits, 0) + 1,
        debits_until = IF(debits_until > p_at, debits_until, p_at + INTERVAL 1 HOUR),
        -- what lapses or fails is not taken back from this: it bounds what somebody may try who has no second factor
        unconfirmed_day = LEAST(
            IF(unconfirmed_on = v_day, unconfirmed_day, 0) + IF(p_is_confirmed, 0, p_amount), 9007199254740991),
        unconfirmed_on = v_day
    WHERE id = p_wallet_id;
END
