-- Internal. Brings all open disputes of a payment in line with what is left of it. The caller holds their locks.
CREATE PROCEDURE apply_payment_disputes(
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_seed_id BINARY(16)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_dispute_id, v_seed_id BINARY(16) DEFAULT NULL;
    DECLARE v_after BINARY(16) DEFAULT UNHEX('00000000000000000000000000000000');
    DECLARE v_is_told BOOLEAN DEFAULT FALSE;

    applying: LOOP
        SET v_dispute_id = NULL;
        SELECT id, wallet_id IS NOT NULL INTO v_dispute_id, v_is_told FROM payment_disputes
        WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id AND ended_at IS NULL AND id > v_after
        ORDER BY id LIMIT 1;
        IF v_dispute_id IS NULL THEN
            LEAVE applying;
        END IF;
        SET v_after = v_dispute_id;
        CALL derive_id(p_seed_id, HEX(v_dispute_id), v_seed_id);
        CALL apply_payment_dispute(v_dispute_id, v_seed_id, 'books', v_is_told, NULL);
    END LOOP;
END
