-- As `append_checkpoint`, which seals in the first form and stays for the release that calls it; with the form that all of
-- these seals have.
CREATE PROCEDURE append_sealed(
    IN p_form TINYINT UNSIGNED,
    IN p_number BIGINT,
    IN p_first_position BIGINT,
    IN p_chain_before BINARY(32),
    IN p_chain BINARY(32),
    IN p_balances TEXT CHARACTER SET ascii COLLATE ascii_bin,
    IN p_digest BINARY(32),
    IN p_sealed_at DATETIME(6),
    IN p_seals MEDIUMBLOB
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_taken BOOLEAN DEFAULT FALSE;
    DECLARE v_outcome VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_count INT DEFAULT LENGTH(p_seals) DIV 64;
    DECLARE v_next INT DEFAULT 0;
    DECLARE v_last_before BIGINT DEFAULT 0;
    DECLARE v_chain_before, v_known BINARY(32) DEFAULT NULL;
    DECLARE v_seal BINARY(64);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET v_taken = TRUE;
        INSERT INTO checkpoints
            (number, first_position, last_position, chain_before, chain, balances, digest, sealed_at)
        VALUES (p_number, p_first_position, p_first_position + v_count - 1, p_chain_before, p_chain, p_balances,
                p_digest, p_sealed_at);
    END;
    IF v_taken THEN
        SELECT digest INTO v_known FROM checkpoints WHERE number = p_number;
        SET v_outcome = IF(v_known = p_digest, 'done', 'taken');
    ELSE
        IF p_number = 1 THEN
            SET v_chain_before = REPEAT(UNHEX('00'), 32);
        ELSE
            SELECT last_position, chain INTO v_last_before, v_chain_before
            FROM checkpoints WHERE number = p_number - 1;
        END IF;
        IF v_chain_before IS NULL OR v_chain_before <> p_chain_before OR v_last_before <> p_first_position - 1
            OR LENGTH(p_seals) <> 64 * v_count THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a checkpoint begins where the one before it ends';
        END IF;
        WHILE v_next < v_count DO
            SET v_seal = SUBSTRING(p_seals, 64 * v_next + 1, 64);
            INSERT INTO seals (position, transaction_id, salt, leaf, form)
            VALUES (p_first_position + v_next, SUBSTRING(v_seal, 1, 16), SUBSTRING(v_seal, 17, 16),
                    SUBSTRING(v_seal, 33, 32), p_form);
            DELETE FROM unsealed WHERE transaction_id = CAST(SUBSTRING(v_seal, 1, 16) AS BINARY(16));
            IF ROW_COUNT() <> 1 THEN
                SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'only what waits for a seal is sealed';
            END IF;
            SET v_next = v_next + 1;
        END WHILE;
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END
