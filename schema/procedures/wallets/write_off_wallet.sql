-- Keeps what is available of a wallet that is being closed as unclaimed money: it has no other way to its owner. What can
-- still go back to its source does not count: `close` sends that. 'nothing_to_write_off' if there is nothing else, or less
-- than `p_amount` (NULL: all of it), or if the wallet is not being closed.
CREATE PROCEDURE write_off_wallet(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_transaction_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16),
    IN p_amount BIGINT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_unclaimed_id BINARY(16) DEFAULT NULL;
    DECLARE v_total, v_held, v_available, v_amount BIGINT DEFAULT NULL;
    DECLARE v_any, v_enough, v_untried BIGINT DEFAULT 0;
    DECLARE v_last, v_now DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_command(p_actor_id, p_key, p_request_hash, p_transaction_id, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
        SET v_outcome = CASE
            WHEN v_tier IS NULL THEN 'not_found'
            WHEN COALESCE(v_status <> 'closing', TRUE) THEN 'nothing_to_write_off'
            ELSE 'done' END;
    END IF;
    IF v_outcome = 'done' THEN
        CALL lock_debit(p_wallet_id, 9007199254740991, p_transaction_id, v_status, v_tier, v_total, v_held, v_last);
        CALL sum_returnable(p_wallet_id, v_any, v_enough, v_untried);
        SET v_available = v_total - v_held;
        SET v_available = v_available - IF(v_available < 100, 0, LEAST(v_untried, v_available));
        SET v_amount = COALESCE(p_amount, v_available);
        IF v_available <= 0 OR v_amount > v_available OR v_amount <= 0 THEN
            SET v_outcome = 'nothing_to_write_off';
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        SET v_now = GREATEST(UTC_TIMESTAMP(6), v_last + INTERVAL 1 MICROSECOND);
        SELECT id INTO v_unclaimed_id FROM accounts WHERE code = 'unclaimed';
        INSERT INTO transactions (id, type, amount, currency, actor_id, created_at)
        VALUES (p_transaction_id, 'adjustment', v_amount, 'INR', p_actor_id, v_now);
        CALL post_entry(p_transaction_id, p_wallet_id, 0, v_unclaimed_id, v_amount, v_now);
        CALL note_unclaimed(p_transaction_id, p_wallet_id, v_amount, 'closed', v_now);
        CALL close_if_empty(p_wallet_id, v_now, v_status);
        SET v_result = JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'wallet_id', LOWER(HEX(p_wallet_id)),
            'amount', v_amount + 0, 'status', v_status);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_transaction_id, p_operator, p_reason, 'write_off',
                     p_wallet_id, p_transaction_id);
END
