-- Internal. Which limit of its tier a debit would break, if any: its own size, the day's sum, or the month's. Of several it is the one of which the least is left. `p_result` tells of it: its name, what is left
-- of it in minor units, and the moment that this was so.
CREATE PROCEDURE check_debit_limits(
    IN p_wallet_id BINARY(16),
    IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_at DATETIME(6),
    OUT p_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
READS SQL DATA
BEGIN
    DECLARE v_payment, v_max_day, v_max_month, v_day, v_month, v_left BIGINT DEFAULT NULL;
    DECLARE v_person_to_person BOOLEAN DEFAULT NULL;
    DECLARE v_today, v_first DATE DEFAULT NULL;

    SELECT max_payment, max_debit_day, max_debit_month, person_to_person
    INTO v_payment, v_max_day, v_max_month, v_person_to_person
    FROM tier_limits WHERE tier = p_tier AND valid_from <= p_at ORDER BY valid_from DESC LIMIT 1;
    IF v_person_to_person IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a tier needs limits that are in force';
    END IF;
    IF COALESCE(v_max_day, v_max_month) IS NOT NULL THEN
        SET v_today = DATE(p_at + INTERVAL 330 MINUTE);
        SET v_first = v_today - INTERVAL (DAYOFMONTH(v_today) - 1) DAY;
        -- a sum of another Indian day or month than that of the moment is nothing (see periods_of)
        SELECT v_max_day - IF(usage_day = v_today, debited_day, 0),
               v_max_month - IF(usage_month = v_first, debited_month, 0)
        INTO v_day, v_month FROM wallets WHERE id = p_wallet_id;
    END IF;
    SET v_left = LEAST(COALESCE(v_payment, p_amount), COALESCE(v_month, p_amount), COALESCE(v_day, p_amount));
    IF p_amount > v_left THEN
        -- What lapsed holds held counts no more, though nobody may have written that down yet; with the sums, as it may
        -- be written down at this moment.
        SELECT v_max_day - IF(w.usage_day = v_today, w.debited_day, 0)
                   + COALESCE(SUM(IF(DATE(h.created_at + INTERVAL 330 MINUTE) = v_today, h.amount - h.captured, 0)), 0),
               v_max_month - IF(w.usage_month = v_first, w.debited_month, 0)
                   + COALESCE(SUM(IF(EXTRACT(YEAR_MONTH FROM h.created_at + INTERVAL 330 MINUTE)
                                     = EXTRACT(YEAR_MONTH FROM v_today), h.amount - h.captured, 0)), 0)
        INTO v_day, v_month
        FROM wallets w
        LEFT JOIN holds h FORCE INDEX (holds_of_payer)
            ON h.payer_wallet_id = w.id AND h.status = 'placed' AND h.expires_at <= UTC_TIMESTAMP(6)
        WHERE w.id = p_wallet_id GROUP BY w.id;
        SET v_left = LEAST(COALESCE(v_payment, p_amount), COALESCE(v_month, p_amount), COALESCE(v_day, p_amount));
    END IF;
    IF p_amount > v_left THEN
        SET p_limit = CASE v_left
            WHEN v_payment THEN 'max_payment' WHEN v_month THEN 'max_debit_month' ELSE 'max_debit_day' END;
        -- "+ 0": MariaDB's JSON_OBJECT shows a bare integer variable as a string
        SET p_result = JSON_OBJECT('limit', p_limit, 'left', GREATEST(v_left, 0) + 0,
                                   'at', DATE_FORMAT(p_at, '%Y-%m-%dT%H:%i:%s.%f'));
    END IF;
END
