-- A second id for the same commit: of the same moment, and the same each time it is derived.
CREATE PROCEDURE derive_id(
    IN p_id BINARY(16),
    IN p_word VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_derived BINARY(16)
)
NO SQL
BEGIN
    DECLARE v_digest CHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT
        LEFT(SHA2(CONCAT(HEX(p_id), ':', p_word), 256), 32);
    SET p_derived = UNHEX(
        CONCAT(LEFT(HEX(p_id), 12), '7', SUBSTRING(v_digest, 1, 3), '8', SUBSTRING(v_digest, 4, 15)));
END
