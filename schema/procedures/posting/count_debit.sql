-- Internal. Gives back what was counted for the limits at `p_asked_at` and did not leave after all, as far as that period
-- still runs (`p_amount` is negative). The wallet is locked.
CREATE PROCEDURE count_debit(
    IN p_wallet_id BINARY(16),
    IN p_amount BIGINT,
    IN p_asked_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    -- the Indian day and month of that moment (see periods_of)
    DECLARE v_day DATE DEFAULT DATE(p_asked_at + INTERVAL 330 MINUTE);
    DECLARE v_month DATE DEFAULT v_day - INTERVAL (DAYOFMONTH(v_day) - 1) DAY;

    UPDATE wallets
    SET debited_day = debited_day + IF(usage_day = v_day, p_amount, 0),
        debited_month = debited_month + IF(usage_month = v_month, p_amount, 0)
    WHERE id = p_wallet_id;
END
