-- Closes a wallet, a step at a time: it is frozen as `closing`; withdrawals that nobody was asked to pay are ended; what is
-- available goes back to where it came from, over its top-ups, newest first (those whose refund has failed before come
-- last), at most `p_most` of them in one step; and it is `closed` when nothing is left, here or when the last of these
-- refunds succeeds. Run again, it goes on. What is held for others is left to them. The result says what is on its way,
-- what is held for others, and of what is available: what the next step can send back (`returnable`), what came through a
-- gateway and is too little for a refund (`below_minimum`) or was credited from suspense (`from_suspense`), and what came
-- from other people (`without_a_source`). The last three are the operator's to write off.
CREATE PROCEDURE close_wallet(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16),
    IN p_most INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_total, v_held, v_available, v_on_its_way BIGINT DEFAULT NULL;
    DECLARE v_any, v_enough, v_untried, v_from_suspense BIGINT DEFAULT 0;
    DECLARE v_opened, v_found INT DEFAULT 0;
    DECLARE v_unsent TEXT CHARACTER SET ascii COLLATE ascii_bin DEFAULT '';
    DECLARE v_withdrawal_id BINARY(16) DEFAULT UNHEX('00000000000000000000000000000000');
    DECLARE v_is_unsent BOOLEAN DEFAULT FALSE;
    DECLARE v_last DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_command(p_actor_id, p_key, p_request_hash, p_action_id, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        -- before the wallet, each by its key, as everybody locks them
        waiting: WHILE v_found < p_most DO
            SELECT MIN(id) INTO v_withdrawal_id FROM withdrawals
            WHERE wallet_id = p_wallet_id AND status = 'pending' AND NOT asked AND id > v_withdrawal_id;
            IF v_withdrawal_id IS NULL THEN
                LEAVE waiting;
            END IF;
            SET v_found = v_found + 1;
            SELECT status = 'pending' AND NOT asked AND provider_payout_id IS NULL INTO v_is_unsent
            FROM withdrawals WHERE id = v_withdrawal_id FOR UPDATE;
            SET v_unsent = CONCAT(v_unsent, IF(v_is_unsent, HEX(v_withdrawal_id), ''));
        END WHILE;
        CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
        SET v_outcome = IF(v_tier IS NULL, 'not_found', 'done');
        SET v_result = JSON_OBJECT( -- of a wallet that is closed already
            'wallet_id', LOWER(HEX(p_wallet_id)), 'status', 'closed', 'opened', 0, 'on_its_way', 0,
            'held_for_others', 0, 'returnable', 0, 'below_minimum', 0, 'from_suspense', 0, 'without_a_source', 0);
    END IF;
    IF v_outcome = 'done' AND v_status IS NOT NULL THEN
        IF v_status = 'active' THEN
            CALL note_event(p_wallet_id, NULL, 'WalletFrozen', JSON_OBJECT(), UTC_TIMESTAMP(6));
        END IF;
        UPDATE wallets SET status = 'closing' WHERE id = p_wallet_id;
        WHILE v_unsent <> '' DO
            CALL free_withdrawal(UNHEX(LEFT(v_unsent, 32)), 'wallet_closing');
            SET v_unsent = SUBSTRING(v_unsent, 33);
        END WHILE;
        -- more than any wallet has: every slot is gathered, and every hold that is due ended
        CALL lock_debit(p_wallet_id, 9007199254740991, p_action_id, v_status, v_tier, v_total, v_held, v_last);
        SET v_available = v_total - v_held;
        CALL return_to_sources(p_wallet_id, p_action_id, p_operator, p_most, v_available, v_opened);
        CALL sum_returnable(p_wallet_id, v_any, v_enough, v_untried);
        SET v_any = LEAST(v_any, v_available), v_enough = IF(v_available < 100, 0, LEAST(v_enough, v_available));
        SELECT COALESCE(SUM(p.amount), 0) INTO v_from_suspense
        FROM postings p
        JOIN transactions t ON t.id = p.transaction_id JOIN transactions c ON c.id = t.cause_id AND c.type = 'suspense'
        WHERE p.account_id = p_wallet_id AND p.slot = 0 AND p.type = 'adjustment' AND p.side = 'credit';
        SET v_from_suspense = LEAST(v_from_suspense, v_available - v_any);

        CALL close_if_empty(p_wallet_id, GREATEST(UTC_TIMESTAMP(6), v_last), v_status);
        SELECT COALESCE(SUM(amount), 0) INTO v_on_its_way
        FROM source_refunds WHERE wallet_id = p_wallet_id AND status = 'pending';
        SELECT held - v_on_its_way INTO v_held FROM wallets WHERE id = p_wallet_id;
        SET v_result = JSON_OBJECT(
            'wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status, 'opened', v_opened + 0,
            'on_its_way', v_on_its_way + 0, 'held_for_others', v_held + 0, 'returnable', v_enough + 0,
            'below_minimum', v_any - v_enough, 'from_suspense', v_from_suspense + 0,
            'without_a_source', v_available - v_any - v_from_suspense);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'close', p_wallet_id,
                     NULL);
END
