-- Internal. Whether a gateway's JSON names a payment: its id as a text, or as a number where it is one.
CREATE PROCEDURE check_names_payment(
    IN p_told MEDIUMBLOB,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_names BOOLEAN
)
NO SQL
BEGIN
    DECLARE v_close MEDIUMBLOB DEFAULT NULL;

    SET p_names = LOCATE(CONCAT('"', p_payment_id, '"'), p_told) > 0;
    IF p_names = FALSE AND p_payment_id REGEXP '^[0-9]+$' THEN
        SET v_close = REPLACE(REPLACE(REPLACE(REPLACE(p_told, ' ', ''), CHAR(9), ''), CHAR(10), ''), CHAR(13), '');
        SET p_names = LOCATE(CONCAT(':', p_payment_id, ','), v_close) > 0
            OR LOCATE(CONCAT(':', p_payment_id, '}'), v_close) > 0;
    END IF;
END
