-- Internal. A refusal for a limit of which nothing is left, and which time does not bring back.
CREATE PROCEDURE tell_limit(
    IN p_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
NO SQL
BEGIN
    SET p_outcome = 'wallet_limit_exceeded';
    SET p_result = JSON_OBJECT('limit', p_limit, 'left', 0,
                               'at', DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%f'));
END
