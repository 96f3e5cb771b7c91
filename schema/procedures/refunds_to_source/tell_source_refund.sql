-- Internal. Tells of a refund in an event of the wallet that the money came for, if it came for one. The caller holds
-- that wallet's lock.
CREATE PROCEDURE tell_source_refund(
    IN p_refund_id BINARY(16),
    IN p_owner_id BINARY(16),
    IN p_type VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_detail TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;

    IF p_owner_id IS NOT NULL THEN
        SELECT JSON_OBJECT(
            'refund_id', LOWER(HEX(id)), 'transaction_id', LOWER(HEX(transaction_id)), 'amount', amount,
            'currency', currency, 'gateway', gateway, 'reason', reason)
        INTO v_detail FROM source_refunds WHERE id = p_refund_id;
        CALL note_event(p_owner_id, NULL, p_type, v_detail, p_at);
    END IF;
END
