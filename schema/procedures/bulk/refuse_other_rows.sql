-- Internal. Refuses all waiting rows of a file that would be refused now for what a row of it has just been refused for,
-- the payer's own: without a payment tried for each. With the file's lock, as a retry has it, and in an atomic block of its
-- own: what it doesn't get to waits, and is tried as ever.
CREATE PROCEDURE refuse_other_rows(
    IN p_bulk_payment_id BINARY(16),
    IN p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_by_phone BOOLEAN,
    IN p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_refused INT UNSIGNED
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_user_id, v_wallet_id BINARY(16) DEFAULT NULL;
    -- the most that may be paid now: less than any amount, where nothing may
    DECLARE v_most BIGINT DEFAULT 0;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT user_id INTO v_user_id FROM bulk_payments WHERE id = p_bulk_payment_id FOR UPDATE;
    IF p_outcome = 'insufficient_funds' THEN
        SELECT id INTO v_wallet_id FROM wallets WHERE user_id = v_user_id;
        CALL sum_available(v_wallet_id, v_most);
    ELSEIF p_outcome = 'wallet_limit_exceeded' THEN
        SET v_most = JSON_UNQUOTE(JSON_EXTRACT(p_result, '$.left'));
    END IF;
    UPDATE bulk_payment_rows SET status = 'refused', refusal = p_outcome, ended_at = UTC_TIMESTAMP(6)
    WHERE bulk_payment_id = p_bulk_payment_id AND status = 'waiting' AND amount > v_most
      AND (NOT p_by_phone OR payee_phone IS NOT NULL);
    SET p_refused = ROW_COUNT();
    COMMIT;
END
