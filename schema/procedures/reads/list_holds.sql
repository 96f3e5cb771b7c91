-- Somebody's holds, as payer, as payee, or both (`p_side` NULL). A hold whose time has passed is expired, whether or not the
-- sweep has been. Under the key of a capture stands its hold, too.
-- Prepared, for an index is sought with constants only: one seek for each side and status; all that stands in it is a number, a
-- name of ours or hexadecimal. Joined as it is written: an optimizer that begins with the people would read them all.
CREATE PROCEDURE list_holds(
    IN p_actor_id BINARY(16),
    IN p_side VARCHAR(5) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_before BINARY(16),
    IN p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_key VARBINARY(64),
    IN p_limit INT UNSIGNED
)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_wallet_id, v_only BINARY(16) DEFAULT NULL;
    DECLARE v_side VARCHAR(5) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_holds TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT '';
    DECLARE v_is_last BOOLEAN DEFAULT FALSE;
    DECLARE v_seeks CURSOR FOR
        SELECT sides.side, statuses.status
        FROM (SELECT 'payer' AS side UNION ALL SELECT 'payee') sides,
             (SELECT 'placed' AS status UNION ALL SELECT 'captured' UNION ALL SELECT 'released' UNION ALL SELECT 'expired')
                 statuses
        WHERE (p_side IS NULL OR sides.side = p_side)
            AND (p_status IS NULL OR statuses.status = p_status
                 OR p_status = 'expired' AND statuses.status = 'placed');
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_is_last = TRUE;

    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT (SELECT id FROM wallets WHERE user_id = p_actor_id),
           (SELECT COALESCE(c.hold_id, r.made_id) FROM idempotency_records r
            LEFT JOIN hold_captures c ON c.transaction_id = r.made_id
            WHERE r.actor_id = p_actor_id AND r.idem_key = p_key)
    INTO v_wallet_id, v_only;
    OPEN v_seeks;
    seeks: LOOP
        FETCH v_seeks INTO v_side, v_status;
        IF v_is_last THEN
            LEAVE seeks;
        END IF;
        SET v_holds = CONCAT(
            v_holds, IF(v_holds = '', '', ' UNION ALL '),
            '(SELECT id FROM holds', IF(p_key IS NULL, CONCAT(' FORCE INDEX (holds_of_', v_side, '_in_order)'), ''),
            ' WHERE ', v_side, '_wallet_id = X''', COALESCE(HEX(v_wallet_id), ''), ''' AND status = ''', v_status, '''',
            IF(v_status <> 'placed' OR p_status IS NULL, '', CONCAT(
                ' AND expires_at ', IF(p_status = 'placed', '>', '<='), ' UTC_TIMESTAMP(6)')),
            IF(p_before IS NULL, '', CONCAT(' AND id < X''', HEX(p_before), '''')),
            IF(p_key IS NULL, '', CONCAT(' AND id = X''', COALESCE(HEX(v_only), ''), '''')),
            ' ORDER BY id DESC LIMIT ', p_limit, ')');
    END LOOP;
    CLOSE v_seeks;
    SET @page_of_holds = CONCAT(
        'SELECT STRAIGHT_JOIN h.id AS hold_id, h.amount, h.captured, h.currency, h.description, h.created_at, h.expires_at,',
        '       IF(h.status = ''placed'' AND h.expires_at <= UTC_TIMESTAMP(6), ''expired'', h.status) AS status,',
        '       payer.id AS payer_wallet_id, payer_user.name AS payer_name,',
        '       payee.id AS payee_wallet_id, payee_user.name AS payee_name ',
        'FROM (SELECT id FROM (', v_holds, ') merged ORDER BY id DESC LIMIT ', p_limit, ') page ',
        'JOIN holds h ON h.id = page.id ',
        'JOIN wallets payer ON payer.id = h.payer_wallet_id JOIN users payer_user ON payer_user.id = payer.user_id ',
        'JOIN wallets payee ON payee.id = h.payee_wallet_id JOIN users payee_user ON payee_user.id = payee.user_id ',
        'ORDER BY h.id DESC');
    PREPARE page_of_holds FROM @page_of_holds;
    EXECUTE page_of_holds;
    DEALLOCATE PREPARE page_of_holds;
    SET @page_of_holds = NULL;
    COMMIT AND NO CHAIN NO RELEASE;
END
