-- The newest entries of a wallet, all or those of some types: `p_stretches` is a JSON array of [slot, after, upto], the numbers
-- of each slot's entries that are looked at, `p_types` one of types, NULL for all. A gather moves money between the slots of
-- one wallet: nothing to show. A refund to a closed wallet is shown as one to who paid: that it is closed is not the payee's
-- affair.
-- Prepared, for an index is sought with constants only, and there is one seek for each type in each slot that the wallet has;
-- all that stands in it is a number, a name of ours or quoted. Joined as it is written: from the page on.
CREATE PROCEDURE list_entries(
    IN p_wallet_id BINARY(16),
    IN p_stretches TEXT CHARACTER SET ascii COLLATE ascii_bin,
    IN p_types TEXT CHARACTER SET ascii COLLATE ascii_bin,
    IN p_limit INT UNSIGNED
)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_after, v_upto BIGINT DEFAULT 0;
    DECLARE v_type VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_slots MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT '';
    DECLARE v_is_last BOOLEAN DEFAULT FALSE;
    DECLARE v_stretches CURSOR FOR
        SELECT stretch.slot, stretch.after_no, stretch.upto_no, wanted.type
        FROM JSON_TABLE(p_stretches, '$[*]' COLUMNS (
            slot TINYINT UNSIGNED PATH '$[0]', after_no BIGINT PATH '$[1]', upto_no BIGINT PATH '$[2]'
        )) stretch LEFT JOIN JSON_TABLE(COALESCE(p_types, '[]'), '$[*]' COLUMNS (
            type VARCHAR(20) CHARACTER SET ascii PATH '$'
        )) wanted ON TRUE;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_is_last = TRUE;

    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    OPEN v_stretches;
    stretches: LOOP
        FETCH v_stretches INTO v_slot, v_after, v_upto, v_type;
        IF v_is_last THEN
            LEAVE stretches;
        END IF;
        SET v_slots = CONCAT(
            v_slots, IF(v_slots = '', '', ' UNION ALL '),
            '(SELECT * FROM postings FORCE INDEX (',
            IF(v_type IS NULL, 'postings_entries_are_numbered_once', 'postings_by_type'),
            ') WHERE account_id = X''', HEX(p_wallet_id), ''' AND slot = ', v_slot,
            IF(v_type IS NULL, ' AND type <> ''gather''', CONCAT(' AND type = ', QUOTE(v_type))),
            ' AND entry_no > ', v_after, ' AND entry_no <= ', v_upto, ' ORDER BY entry_no DESC LIMIT ', p_limit, ')');
    END LOOP;
    CLOSE v_stretches;
    SET @page_of_entries = CONCAT(
        'SELECT STRAIGHT_JOIN p.slot, p.entry_no, p.transaction_id, p.type, p.side, p.amount, p.balance_after, p.created_at,',
        '       t.description, t.reference, a.kind AS account_kind, a.code AS account_code,',
        '       u.name AS holder_name, IF(m.user_id IS NULL, ''personal'', u.kind) AS holder_kind, a.id AS account_id, d.vpa,',
        '       b.kind AS reference_kind, b.bank_reference ',
        'FROM (SELECT * FROM (', v_slots, ') merged ORDER BY created_at DESC, transaction_id DESC LIMIT ', p_limit, ') p ',
        'JOIN transactions t ON t.id = p.transaction_id ',
        'JOIN postings o ON o.transaction_id = p.transaction_id AND o.line = 3 - p.line ',
        'JOIN accounts c ON c.id = o.account_id ',
        'LEFT JOIN postings paid ON c.code = ''unclaimed'' AND p.type = ''refund'' AND paid.transaction_id = t.cause_id',
        '    AND paid.side = ''debit'' ',
        'JOIN accounts a ON a.id = COALESCE(paid.account_id, c.id) ',
        'LEFT JOIN wallets w ON w.id = a.id ',
        'LEFT JOIN users u ON u.id = w.user_id ',
        'LEFT JOIN merchant_approvals m ON m.user_id = u.id ',
        'LEFT JOIN withdrawal_bookings k ON k.transaction_id = t.id LEFT JOIN withdrawals d ON d.id = k.withdrawal_id ',
        'LEFT JOIN source_refund_bookings f ON f.transaction_id = t.id ',
        'LEFT JOIN source_refunds s ON s.id = f.source_refund_id ',
        'LEFT JOIN gateway_payments g ON g.transaction_id = t.id ',
        'LEFT JOIN bank_references b ON b.kind = CASE WHEN g.gateway IS NOT NULL THEN ''payment''',
        '        WHEN p.type = ''refund_to_source'' THEN ''refund''',
        '        WHEN p.type IN (''withdrawal'', ''withdrawal_return'') THEN ''payout'' END',
        '    AND b.gateway = COALESCE(g.gateway, s.gateway, d.provider)',
        '    AND b.outside_id = COALESCE(g.gateway_payment_id, s.gateway_refund_id, d.provider_payout_id) ',
        'ORDER BY p.created_at DESC, p.transaction_id DESC');
    PREPARE page_of_entries FROM @page_of_entries;
    EXECUTE page_of_entries;
    DEALLOCATE PREPARE page_of_entries;
    SET @page_of_entries = NULL;
    COMMIT AND NO CHAIN NO RELEASE;
END
