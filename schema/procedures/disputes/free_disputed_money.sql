-- Internal. Frees what the disputes of a payment have reserved, for as long as it takes to see what else of that money moves:
-- `apply_payment_disputes` reserves again, in the same commit, what is left to be had. The caller holds the disputes' locks
-- and the wallet's.
CREATE PROCEDURE free_disputed_money(
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6),
    OUT p_freed BIGINT
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_dispute_id, v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_reserved BIGINT DEFAULT 0;

    SET p_freed = 0;
    freeing: LOOP
        SET v_dispute_id = NULL;
        SELECT id, wallet_id, reserved INTO v_dispute_id, v_wallet_id, v_reserved FROM payment_disputes
        WHERE gateway = p_gateway AND gateway_payment_id = p_payment_id AND reserved > 0 ORDER BY id LIMIT 1;
        IF v_dispute_id IS NULL THEN
            LEAVE freeing;
        END IF;
        CALL set_aside(v_wallet_id, -v_reserved, 'dispute', v_dispute_id, p_at);
        UPDATE payment_disputes SET reserved = 0 WHERE id = v_dispute_id;
        SET p_freed = p_freed + v_reserved;
    END LOOP;
END
