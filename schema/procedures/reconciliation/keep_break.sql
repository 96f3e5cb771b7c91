-- Internal. Writes a break down, or that it is still there. What an operator has resolved stays so as long as it looks
-- as it did then, in amounts and currency; whatever else was resolved and is there again is open again, from now on.
CREATE PROCEDURE keep_break(
    IN p_id BINARY(16),
    IN p_kind VARCHAR(24) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_subject VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_our_amount BIGINT,
    IN p_their_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_is_new BOOLEAN
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_resolution VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_same, v_reopened BOOLEAN DEFAULT FALSE;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);

    SET p_is_new = TRUE;
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET p_is_new = FALSE;
        INSERT INTO reconciliation_breaks
            (id, kind, gateway, subject, our_amount, their_amount, currency, first_seen_at, open_since, last_seen_at)
        VALUES (p_id, p_kind, p_gateway, p_subject, p_our_amount, p_their_amount, p_currency, v_now, v_now, v_now);
    END;
    IF NOT p_is_new THEN
        SELECT id, resolution, our_amount <=> p_our_amount AND their_amount <=> p_their_amount
               AND currency <=> p_currency
        INTO v_id, v_resolution, v_same
        FROM reconciliation_breaks
        WHERE kind = p_kind AND gateway = p_gateway AND subject = p_subject FOR UPDATE;
        SET v_reopened = v_resolution IS NOT NULL AND NOT (v_resolution = 'operator' AND v_same);
        UPDATE reconciliation_breaks
        SET last_seen_at = v_now, our_amount = p_our_amount, their_amount = p_their_amount, currency = p_currency,
            open_since = IF(v_reopened, v_now, open_since),
            resolved_at = IF(v_reopened, NULL, resolved_at),
            resolution = IF(v_reopened, NULL, resolution),
            resolved_by = IF(v_reopened, NULL, resolved_by),
            reason = IF(v_reopened, NULL, reason),
            order_id = IF(v_reopened, NULL, order_id)
        WHERE id = v_id;
        SET p_is_new = v_reopened;
    END IF;
END
