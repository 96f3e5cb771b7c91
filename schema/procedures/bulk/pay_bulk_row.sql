-- Pays one row, or finds that it has been paid or refused already. Its payment and what is written here of it are one
-- commit, and the row's lock lets one caller at a time at it. A refusal undoes all that the payment began (holds that
-- were ended, slots that were gathered), and is written down; for a payee's sake it is counted like any other. For the
-- payer's own sake it is that of all other rows which it would be: `also_refused` are so many. Files go on when the session
-- ends in which they came.
CREATE PROCEDURE pay_bulk_row(
    IN p_bulk_payment_id BINARY(16),
    IN p_line INT UNSIGNED,
    IN p_transaction_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_refusal, v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_actor_id, v_payer_id, v_payee_id BINARY(16) DEFAULT NULL;
    DECLARE v_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_amount, v_unused BIGINT DEFAULT NULL;
    DECLARE v_at DATETIME(6) DEFAULT NULL;
    DECLARE v_also_refused INT UNSIGNED DEFAULT 0;
    DECLARE v_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_reference VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT user_id INTO v_actor_id FROM bulk_payments WHERE id = p_bulk_payment_id;
    SELECT status, refusal, payee_wallet_id, payee_phone, amount, description, reference
    INTO v_status, v_refusal, v_payee_id, v_phone, v_amount, v_description, v_reference
    FROM bulk_payment_rows WHERE bulk_payment_id = p_bulk_payment_id AND line = p_line FOR UPDATE;

    IF v_status = 'waiting' THEN
        SAVEPOINT before_the_payment;
        CALL make_payment(v_actor_id, NULL, NULL, NULL, p_transaction_id, v_payee_id, v_phone, v_amount, v_description,
                          v_reference, NULL, v_outcome, v_result, v_payer_id, v_name, v_payee_id, v_name, v_unused, v_unused,
                          v_at);
        IF v_outcome = 'done' THEN
            SET v_status = 'paid';
        ELSE
            ROLLBACK TO SAVEPOINT before_the_payment;
            IF v_outcome = 'payee_unavailable' THEN
                CALL count_failed_lookup(v_actor_id, v_outcome, v_result);
            END IF;
            IF v_outcome <> 'rules_lapsed' THEN
                SET v_status = 'refused';
                SET v_refusal = v_outcome;
            END IF;
        END IF;
        IF v_status <> 'waiting' THEN
            UPDATE bulk_payment_rows
            SET status = v_status, refusal = v_refusal, transaction_id = IF(v_status = 'paid', p_transaction_id, NULL),
                -- of a paid one the time of its payment, which may be ahead of the clock
                ended_at = IF(v_status = 'paid', v_at, UTC_TIMESTAMP(6))
            WHERE bulk_payment_id = p_bulk_payment_id AND line = p_line;
        END IF;
    END IF;
    COMMIT;
    -- 'person_to_person' is about the payee as well: others of the file may be merchants
    IF v_outcome IN ('wallet_frozen', 'confirmation_paused', 'insufficient_funds', 'too_many_lookups')
            OR (v_outcome = 'wallet_limit_exceeded'
                AND JSON_UNQUOTE(JSON_EXTRACT(v_result, '$.limit')) <> 'person_to_person') THEN
        CALL refuse_other_rows(p_bulk_payment_id, v_outcome, v_outcome = 'too_many_lookups' AND v_phone IS NOT NULL,
                               v_result, v_also_refused);
    END IF;
    IF v_outcome = 'rules_lapsed' THEN
        CALL renew_rules(v_result);
    END IF;
    SELECT CASE WHEN v_status IS NULL THEN 'not_found' WHEN v_status = 'waiting' THEN 'try_again' ELSE 'done' END AS outcome,
           JSON_OBJECT('status', v_status, 'refusal', v_refusal, 'also_refused', v_also_refused + 0) AS result;
END
