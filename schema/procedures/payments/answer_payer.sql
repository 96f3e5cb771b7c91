-- Internal. What a caller is answered whose payment or hold was rolled back; a refusal for a payee's sake is counted first, and
-- rules that had lapsed are renewed: then it is made again.
CREATE PROCEDURE answer_payer(
    IN p_actor_id BINARY(16),
    IN p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_code VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT p_outcome;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT p_result;

    IF v_code = 'payee_unavailable' THEN
        SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
        START TRANSACTION;
        CALL count_failed_lookup(p_actor_id, v_code, v_result);
        COMMIT;
    END IF;
    IF v_code = 'rules_lapsed' THEN
        CALL renew_rules(p_result);
        SELECT 'try_again' AS outcome, NULL AS result;
    ELSEIF v_code IN ('payee_unavailable', 'too_many_lookups') THEN
        SELECT IF(v_code = 'too_many_lookups', 'too_many_attempts', 'payee_not_found') AS outcome,
               JSON_SET(COALESCE(v_result, '{}'), '$.code', v_code) AS result;
    ELSE
        SELECT v_code AS outcome, v_result AS result;
    END IF;
END
