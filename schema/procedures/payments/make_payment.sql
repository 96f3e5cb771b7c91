-- Internal. A payment from the actor's wallet to another, named by its id or by its owner's phone, inside the caller's
-- atomic block: 'done', or the code of a refusal, and then it is the caller who rolls back what this has done. The payer's
-- own reasons come first, without a lock and again under it; whatever is the payee's is 'payee_unavailable'. With
-- `p_generation` NULL it is paid whatever has become of the session in which it was asked for, but not
-- in the pause after a reset of the password; with `p_key` NULL it is a part of what was confirmed, or counted as
-- unconfirmed, as a whole.
CREATE PROCEDURE make_payment(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_transaction_id BINARY(16),
    IN p_payee_wallet_id BINARY(16),
    IN p_payee_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reference VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_payer_name, v_payee_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payee_kind, v_payer_status, v_payee_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_asked_tier, v_payer_tier, v_payee_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_reason, v_limit VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_balance, v_held, v_payee_balance, v_fee, v_unconfirmed BIGINT DEFAULT NULL;
    DECLARE v_confirm_above, v_confirm_day_above, v_confirm_new_payee_above BIGINT DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_person_to_person, v_has_sums, v_is_required BOOLEAN DEFAULT FALSE;
    DECLARE v_is_confirmed BOOLEAN DEFAULT p_key IS NULL;
    DECLARE v_paused_until DATETIME(6) DEFAULT NULL;
    DECLARE v_payer_last, v_payee_last, v_now DATETIME(6) DEFAULT NULL;

    CALL check_payer(p_actor_id, p_generation, p_payee_wallet_id, p_payee_phone, p_amount, p_outcome, p_result, v_payer_id,
                     v_payer_name, v_asked_tier, v_person_to_person, v_has_sums, v_confirm_above, v_confirm_day_above,
                     v_confirm_new_payee_above);
    IF p_outcome IS NULL THEN
        CALL refuse_payee(p_payee_wallet_id, p_payee_phone, v_person_to_person, p_outcome, p_result, v_payee_id,
                          v_payee_name, v_payee_kind);
    END IF;

    IF p_outcome IS NULL THEN
        -- one lock order for everybody, or two people who pay each other would deadlock
        IF v_payer_id < v_payee_id THEN
            CALL lock_payer_with_usage(v_payer_id, p_amount, p_transaction_id, v_payer_status, v_payer_tier, v_balance,
                                       v_held, v_payer_last, v_generation, v_unconfirmed, v_paused_until);
        END IF;
        CALL lock_credit(v_payee_id, v_payee_kind = 'merchant', v_slot, v_payee_status, v_payee_tier, v_payee_balance,
                         v_payee_last);
        IF v_payer_id > v_payee_id THEN
            CALL lock_payer_with_usage(v_payer_id, p_amount, p_transaction_id, v_payer_status, v_payer_tier, v_balance,
                                       v_held, v_payer_last, v_generation, v_unconfirmed, v_paused_until);
        END IF;
        -- a wallet's time never runs backwards, and no two of its entries have the same
        SET v_now = GREATEST(
            UTC_TIMESTAMP(6), v_payer_last + INTERVAL 1 MICROSECOND, v_payee_last + INTERVAL 1 MICROSECOND);

        IF v_generation <> p_generation THEN
            SET p_outcome = 'invalid_token';
        ELSEIF v_payer_status <> 'active' THEN
            SET p_outcome = 'wallet_frozen';
        ELSEIF p_amount > v_balance - v_held THEN
            SET p_outcome = 'insufficient_funds';
        ELSEIF p_generation IS NULL AND v_paused_until > UTC_TIMESTAMP(6) THEN
            SET p_outcome = 'confirmation_paused';
        ELSE
            -- else what was asked before the lock still holds
            IF v_has_sums OR v_payer_tier <> v_asked_tier THEN
                CALL check_debit_limits(v_payer_id, v_payer_tier, p_amount, v_payee_kind = 'personal', v_now, v_limit,
                                        p_result);
            END IF;
            CALL refuse_credit(v_payee_id, v_payee_tier, v_payee_balance, p_amount, v_payee_kind = 'personal', v_now,
                               v_reason);
            IF v_limit IS NOT NULL THEN
                SET p_outcome = 'wallet_limit_exceeded';
            ELSEIF v_payee_status <> 'active' OR v_reason IS NOT NULL THEN
                SET p_outcome = 'payee_unavailable';
            END IF;
        END IF;
    END IF;

    -- last: nobody is asked to confirm what would be refused
    IF p_outcome IS NULL AND NOT v_is_confirmed THEN
        SET v_is_required = COALESCE(p_amount > v_confirm_above, FALSE)
            OR COALESCE(v_unconfirmed + p_amount > v_confirm_day_above, FALSE);
        IF v_payer_tier <> v_asked_tier THEN
            SET p_outcome = 'try_again'; -- the rules are another tier's
        ELSEIF v_is_required OR p_amount > v_confirm_new_payee_above THEN
            CALL use_confirmation(p_actor_id, p_key, p_request_hash, p_generation, 'payment', v_payer_id, v_payee_id, NULL,
                                  v_payee_name, p_amount, v_paused_until, v_is_required, p_transaction_id, p_outcome,
                                  p_result, v_is_confirmed);
        END IF;
    END IF;

    IF p_outcome IS NULL THEN
        INSERT INTO transactions (id, type, amount, currency, actor_id, description, reference, created_at)
        VALUES (p_transaction_id, 'payment', p_amount, 'INR', p_actor_id, p_description, p_reference, v_now);
        CALL post_entry(p_transaction_id, v_payer_id, 0, v_payee_id, v_slot, p_amount, v_now);
        CALL record_debit_usage(v_payer_id, p_amount, v_now, v_is_confirmed);
        IF v_payee_kind = 'merchant' THEN
            CALL charge_payee(p_transaction_id, v_payee_id, v_slot, p_amount, v_now, v_fee);
        ELSE
            CALL count_load(v_payee_id, p_amount, v_now);
        END IF;
        CALL note_event(v_payer_id, v_payee_id, 'PaymentCompleted', JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'payer_wallet_id', LOWER(HEX(v_payer_id)),
            'payee_wallet_id', LOWER(HEX(v_payee_id)), 'amount', p_amount + 0, 'currency', 'INR',
            'description', p_description, 'reference', p_reference, 'fee', COALESCE(v_fee, 0)), v_now);
        -- "+ 0": MariaDB's JSON_OBJECT shows a bare integer variable as a string
        SET p_result = JSON_OBJECT(
            'transaction_id', LOWER(HEX(p_transaction_id)), 'amount', p_amount + 0, 'currency', 'INR',
            'payer_wallet_id', LOWER(HEX(v_payer_id)), 'payer_name', v_payer_name,
            'payee_wallet_id', LOWER(HEX(v_payee_id)), 'payee_name', v_payee_name,
            'description', p_description, 'reference', p_reference,
            'balance', v_balance - p_amount, 'held', v_held + 0,
            'created_at', DATE_FORMAT(v_now, '%Y-%m-%dT%H:%i:%s.%f'));
        SET p_outcome = 'done';
    END IF;
END
