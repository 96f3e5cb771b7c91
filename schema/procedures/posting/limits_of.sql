-- The limits of a tier that are in force at a moment.
CREATE PROCEDURE limits_of(
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6),
    OUT p_max_balance BIGINT,
    OUT p_max_top_up BIGINT,
    OUT p_max_payment BIGINT,
    OUT p_max_load_month BIGINT,
    OUT p_max_load_year BIGINT,
    OUT p_max_debit_day BIGINT,
    OUT p_max_debit_month BIGINT,
    OUT p_person_to_person BOOLEAN,
    OUT p_withdrawals BOOLEAN
)
READS SQL DATA
BEGIN
    SELECT max_balance, max_top_up, max_payment, max_load_month, max_load_year, max_debit_day, max_debit_month,
           person_to_person, withdrawals
    INTO p_max_balance, p_max_top_up, p_max_payment, p_max_load_month, p_max_load_year, p_max_debit_day,
         p_max_debit_month, p_person_to_person, p_withdrawals
    FROM tier_limits WHERE tier = p_tier AND valid_from <= p_at ORDER BY valid_from DESC LIMIT 1;
    IF p_person_to_person IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a tier needs limits that are in force';
    END IF;
END
