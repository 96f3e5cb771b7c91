-- Counts a load for the limits. The wallet is locked.
CREATE PROCEDURE count_load(IN p_wallet_id BINARY(16), IN p_amount BIGINT, IN p_at DATETIME(6))
MODIFIES SQL DATA
BEGIN
    -- the Indian month and year of that moment (see periods_of)
    DECLARE v_day DATE DEFAULT DATE(p_at + INTERVAL 330 MINUTE);
    DECLARE v_month DATE DEFAULT v_day - INTERVAL (DAYOFMONTH(v_day) - 1) DAY;
    DECLARE v_year DATE DEFAULT CAST(CONCAT(YEAR(v_day) - (MONTH(v_day) < 4), '-04-01') AS DATE);

    UPDATE wallets
    SET loaded_month = IF(usage_month = v_month, loaded_month, 0) + p_amount,
        debited_month = IF(usage_month = v_month, debited_month, 0),
        loaded_year = IF(usage_year = v_year, loaded_year, 0) + p_amount,
        usage_month = v_month,
        usage_year = v_year
    WHERE id = p_wallet_id;
END
