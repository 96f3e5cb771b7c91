-- What a movement costs at a moment, in minor units: half a paisa is rounded up.
CREATE PROCEDURE fee_of(
    IN p_movement VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_at DATETIME(6),
    OUT p_fee BIGINT
)
READS SQL DATA
BEGIN
    SET p_fee = NULL;
    SELECT flat + (p_amount DIV 10000) * basis_points + ((p_amount MOD 10000) * basis_points + 5000) DIV 10000
    INTO p_fee FROM fee_rates WHERE movement = p_movement AND valid_from <= p_at ORDER BY valid_from DESC LIMIT 1;
    SET p_fee = COALESCE(p_fee, 0);
END
