-- Internal. Why a wallet can't take a credit: NULL, 'over_balance_limit' or 'over_load_limit'. `p_total` is what it has, and
-- `p_is_load` whether the credit counts as a load of it.
CREATE PROCEDURE refuse_credit(
    IN p_wallet_id BINARY(16),
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_total BIGINT,
    IN p_amount BIGINT,
    IN p_is_load BOOLEAN,
    IN p_at DATETIME(6),
    OUT p_reason VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin
)
READS SQL DATA
BEGIN
    DECLARE v_max_balance, v_max_month, v_max_year BIGINT DEFAULT NULL;
    DECLARE v_person_to_person BOOLEAN DEFAULT NULL;
    DECLARE v_day, v_month, v_year DATE DEFAULT NULL;

    SELECT max_balance, max_load_month, max_load_year, person_to_person
    INTO v_max_balance, v_max_month, v_max_year, v_person_to_person
    FROM tier_limits WHERE tier = p_tier AND valid_from <= p_at ORDER BY valid_from DESC LIMIT 1;
    IF v_person_to_person IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a tier needs limits that are in force';
    END IF;
    SET p_reason = IF(p_amount > v_max_balance - p_total, 'over_balance_limit', NULL);
    IF p_reason IS NULL AND p_is_load AND (v_max_month IS NOT NULL OR v_max_year IS NOT NULL) THEN
        CALL periods_of(p_at, v_day, v_month, v_year);
        SELECT IF(COALESCE(IF(usage_month = v_month, loaded_month, 0) + p_amount > v_max_month, FALSE)
                  OR COALESCE(IF(usage_year = v_year, loaded_year, 0) + p_amount > v_max_year, FALSE),
                  'over_load_limit', NULL)
        INTO p_reason FROM wallets WHERE id = p_wallet_id;
    END IF;
END
