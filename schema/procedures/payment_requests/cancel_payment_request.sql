-- Ends one's own request; one that is cancelled already is so again.
CREATE PROCEDURE cancel_payment_request(
    IN p_actor_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_payment_request_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'not_found';
    DECLARE v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT id INTO v_locked FROM payment_requests WHERE id = p_payment_request_id FOR UPDATE;
    SELECT s.status, w.session_generation INTO v_status, v_generation
    FROM payment_request_states s JOIN wallets w ON w.id = s.wallet_id
    WHERE s.id = p_payment_request_id AND s.user_id = p_actor_id;
    IF v_generation <> p_generation THEN
        SET v_outcome = 'invalid_token';
    ELSEIF v_status = 'open' THEN
        UPDATE payment_requests SET cancelled_at = UTC_TIMESTAMP(6) WHERE id = p_payment_request_id;
        SET v_outcome = 'done';
    ELSEIF v_status = 'cancelled' THEN
        SET v_outcome = 'done';
    ELSEIF v_status IS NOT NULL THEN
        SET v_outcome = 'payment_request_ended';
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END
