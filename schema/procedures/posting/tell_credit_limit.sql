-- Internal. Which limit of its tier keeps a wallet from a credit that was refused for one, told as `check_debit_limits` tells it.
CREATE PROCEDURE tell_credit_limit(
    IN p_wallet_id BINARY(16),
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_total BIGINT,
    IN p_amount BIGINT,
    IN p_is_load BOOLEAN,
    IN p_at DATETIME(6),
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
READS SQL DATA
BEGIN
    DECLARE v_balance, v_month_left, v_year_left, v_left BIGINT DEFAULT NULL;
    DECLARE v_day, v_month, v_year DATE DEFAULT NULL;

    CALL periods_of(p_at, v_day, v_month, v_year);
    SELECT l.max_balance - p_total,
           IF(p_is_load, l.max_load_month - IF(w.usage_month = v_month, w.loaded_month, 0), NULL),
           IF(p_is_load, l.max_load_year - IF(w.usage_year = v_year, w.loaded_year, 0), NULL)
    INTO v_balance, v_month_left, v_year_left
    FROM tier_limits l JOIN wallets w ON w.id = p_wallet_id
    WHERE l.tier = p_tier AND l.valid_from <= p_at ORDER BY l.valid_from DESC LIMIT 1;
    SET v_left = LEAST(COALESCE(v_balance, p_amount), COALESCE(v_year_left, p_amount), COALESCE(v_month_left, p_amount));
    SET p_result = JSON_OBJECT(
        'limit', CASE v_left
            WHEN v_balance THEN 'max_balance' WHEN v_year_left THEN 'max_load_year' ELSE 'max_load_month' END,
        'left', GREATEST(v_left, 0) + 0, 'at', DATE_FORMAT(p_at, '%Y-%m-%dT%H:%i:%s.%f'));
END
