-- Has a freeze of one's own end in `p_wait_seconds`, for whoever proves the phone. 'not_found' if the wallet is not frozen by
-- its owner; asked again, the first time stands.
CREATE PROCEDURE unfreeze_own_wallet(
    IN p_user_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_request_id BINARY(16),
    IN p_proof_hash BINARY(32),
    IN p_wait_seconds INT UNSIGNED
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_unfreeze_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL lock_session_owner(p_user_id, p_generation, v_outcome, v_wallet_id, v_status);
    IF v_outcome IS NULL THEN
        CALL use_phone_proof(p_proof_hash, 'unfreeze', p_request_id, v_phone);
        SET v_outcome = CASE
            WHEN NOT EXISTS (SELECT 1 FROM users WHERE id = p_user_id AND phone = v_phone) THEN 'invalid_proof'
            WHEN NOT EXISTS (SELECT 1 FROM own_freezes WHERE wallet_id = v_wallet_id) THEN 'not_found'
            ELSE 'done' END;
    END IF;
    IF v_outcome = 'done' THEN
        SELECT unfreeze_at INTO v_unfreeze_at FROM own_freezes WHERE wallet_id = v_wallet_id;
        IF v_unfreeze_at IS NULL THEN
            SET v_unfreeze_at = v_now + INTERVAL p_wait_seconds SECOND;
            UPDATE own_freezes SET unfreeze_at = v_unfreeze_at WHERE wallet_id = v_wallet_id;
            CALL note_event(v_wallet_id, NULL, 'UnfreezeRequested', JSON_OBJECT(
                'unfreezes_at', DATE_FORMAT(v_unfreeze_at, '%Y-%m-%dT%H:%i:%s.%f')), v_now);
        END IF;
    END IF;
    IF v_outcome = 'done' THEN COMMIT; ELSE ROLLBACK; END IF;
    SELECT v_outcome AS outcome,
           JSON_OBJECT('unfreeze_at', DATE_FORMAT(v_unfreeze_at, '%Y-%m-%dT%H:%i:%s.%f')) AS result;
END
