-- Internal. In how many seconds it is worth to ask again, as an answer tells it.
CREATE PROCEDURE tell_retry(
    IN p_free_at DATETIME(6),
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
NO SQL
BEGIN
    SET p_result = JSON_OBJECT(
        'retry_after_s', GREATEST(1, TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(6), p_free_at) + 1));
END
