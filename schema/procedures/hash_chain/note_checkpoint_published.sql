-- Writes down that a checkpoint is published under this signature: 'done' the first time and for a repetition.
CREATE PROCEDURE note_checkpoint_published(
    IN p_number BIGINT,
    IN p_signature VARBINARY(1024)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    UPDATE checkpoints SET signature = p_signature, published_at = UTC_TIMESTAMP(6)
    WHERE number = p_number AND published_at IS NULL;
    IF NOT EXISTS (SELECT 1 FROM checkpoints WHERE number = p_number AND signature = p_signature) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a checkpoint is made once and published once';
    END IF;
    SELECT 'done' AS outcome, NULL AS result;
END
