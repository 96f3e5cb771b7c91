-- Writes a break down, or that it is still there: 'done' if it is (again) new.
CREATE PROCEDURE note_break(
    IN p_id BINARY(16),
    IN p_kind VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_our_amount BIGINT,
    IN p_their_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_is_new BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL keep_break(p_id, p_kind, p_gateway, p_subject, p_our_amount, p_their_amount, p_currency, v_is_new);
    COMMIT;
    SELECT IF(v_is_new, 'done', 'duplicate') AS outcome, NULL AS result;
END
