-- Writes down a bank's reference; the first one stays.
CREATE PROCEDURE record_bank_reference(
    IN p_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_outside_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_bank_reference VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- a duplicate key alone is no error: INSERT IGNORE would swallow others
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 BEGIN END;
        INSERT INTO bank_references (kind, gateway, outside_id, bank_reference, created_at)
        SELECT p_kind, p_gateway, p_outside_id, p_bank_reference, UTC_TIMESTAMP(6) FROM DUAL
        WHERE NOT EXISTS (SELECT 1 FROM bank_references
                          WHERE kind = p_kind AND gateway = p_gateway AND outside_id = p_outside_id);
    END;
    COMMIT;
    SELECT 'done' AS outcome, NULL AS result;
END
