-- The Indian day, the first day of the month, and the 1st of April of the financial year that a moment is in. India has
-- one zone and no summer time, so no server needs time zone tables for it.
CREATE PROCEDURE periods_of(IN p_at DATETIME(6), OUT p_day DATE, OUT p_month DATE, OUT p_year DATE)
NO SQL
BEGIN
    SET p_day = DATE(p_at + INTERVAL 330 MINUTE);
    SET p_month = p_day - INTERVAL (DAYOFMONTH(p_day) - 1) DAY;
    SET p_year = CAST(CONCAT(YEAR(p_day) - (MONTH(p_day) < 4), '-04-01') AS DATE);
END
