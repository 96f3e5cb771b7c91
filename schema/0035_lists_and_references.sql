-- What is one's own, as lists: top-ups, holds, payments and withdrawals; one entry with what it belongs to; and the references
-- by which banks know what came and went, for who has to quote one.
-- serves code from 0035

-- ---------------------------------------------------------------------------------------------------- banks' references

-- The reference that a bank shows to its customer for money that passed through a gateway: the RRN of a payment or of a refund
-- to source (12 digits as a rule, zeros in front among them), the UTR of a payout. The first one told stays. It is no key:
-- RRNs repeat. `outside_id` is the gateway's id of the payment, the refund or the payout; it need not be in the books.
CREATE TABLE IF NOT EXISTS bank_references (
    kind           VARCHAR(8)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    gateway        VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    outside_id     VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    bank_reference VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at     DATETIME(6) NOT NULL,
    CONSTRAINT bank_references_pk PRIMARY KEY (kind, gateway, outside_id),
    CONSTRAINT bank_references_kind_is_known CHECK (kind IN ('payment', 'refund', 'payout')),
    CONSTRAINT bank_references_are_visible CHECK (bank_reference REGEXP '^[!-~]+$'),
    INDEX bank_references_by_reference (bank_reference)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS bank_references_are_not_changed;
CREATE TRIGGER bank_references_are_not_changed BEFORE UPDATE ON bank_references FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bank references only grow';

DROP TRIGGER IF EXISTS bank_references_are_kept;
CREATE TRIGGER bank_references_are_kept BEFORE DELETE ON bank_references FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'bank references only grow';

-- Writes down a bank's reference; the first one stays.
DROP PROCEDURE IF EXISTS record_bank_reference;
DELIMITER //
CREATE PROCEDURE record_bank_reference(
    IN p_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_outside_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_bank_reference VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    -- a duplicate key alone is no error: INSERT IGNORE would swallow others
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 BEGIN END;
        INSERT INTO bank_references (kind, gateway, outside_id, bank_reference, created_at)
        SELECT p_kind, p_gateway, p_outside_id, p_bank_reference, UTC_TIMESTAMP(6) FROM DUAL
        WHERE NOT EXISTS (SELECT 1 FROM bank_references
                          WHERE kind = p_kind AND gateway = p_gateway AND outside_id = p_outside_id);
    END;
    COMMIT;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;

-- --------------------------------------------------------------------------------------------------------- statements

-- The newest entries of a wallet, all or those of some types: `p_stretches` is a JSON array of [slot, after, upto], the numbers
-- of each slot's entries that are looked at, `p_types` one of types, NULL for all. A gather moves money between the slots of
-- one wallet: nothing to show. A refund to a closed wallet is shown as one to who paid: that it is closed is not the payee's
-- affair.
-- Prepared, for an index is sought with constants only, and there is one seek for each type in each slot that the wallet has;
-- all that stands in it is a number, a name of ours or quoted. Joined as it is written: from the page on.
DROP PROCEDURE IF EXISTS list_entries;
DELIMITER //
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
        'LEFT JOIN withdrawals d ON d.id = t.withdrawal_id ',
        'LEFT JOIN source_refunds s ON s.id = t.source_refund_id ',
        'LEFT JOIN bank_references b ON b.kind = CASE WHEN t.gateway IS NOT NULL THEN ''payment''',
        '        WHEN p.type = ''refund_to_source'' THEN ''refund''',
        '        WHEN p.type IN (''withdrawal'', ''withdrawal_return'') THEN ''payout'' END',
        '    AND b.gateway = COALESCE(t.gateway, s.gateway, d.provider)',
        '    AND b.outside_id = COALESCE(t.gateway_payment_id, s.gateway_refund_id, d.provider_payout_id) ',
        'ORDER BY p.created_at DESC, p.transaction_id DESC');
    PREPARE page_of_entries FROM @page_of_entries;
    EXECUTE page_of_entries;
    DEALLOCATE PREPARE page_of_entries;
    SET @page_of_entries = NULL;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- Where somebody's entry in a transaction stands (its slot and number), and what it belongs to: the payment that it is, or whose
-- fee it is; the payment that it gives back; the hold, the top-up, the withdrawal that it is of.
DROP PROCEDURE IF EXISTS find_entry;
DELIMITER //
CREATE PROCEDURE find_entry(IN p_user_id BINARY(16), IN p_transaction_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT p.slot, p.entry_no, p.created_at,
           CASE WHEN t.type IN ('payment', 'hold_capture') THEN t.id
                WHEN t.type = 'fee' AND cause.type IN ('payment', 'hold_capture') THEN cause.id END AS payment_id,
           IF(t.type = 'refund', t.cause_id, NULL) AS refund_of,
           t.hold_id,
           COALESCE(t.attempt_id, cause.attempt_id) AS top_up_id,
           COALESCE(t.withdrawal_id, cause.withdrawal_id) AS withdrawal_id
    FROM wallets w
    JOIN postings p ON p.transaction_id = p_transaction_id AND p.account_id = w.id AND p.type <> 'gather'
    JOIN transactions t ON t.id = p.transaction_id
    LEFT JOIN transactions cause ON cause.id = t.cause_id
    WHERE w.user_id = p_user_id;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- -------------------------------------------------------------------------------------------------------------- lists

DROP PROCEDURE IF EXISTS add_indexes_of_lists;
DELIMITER //
CREATE PROCEDURE add_indexes_of_lists()
MODIFIES SQL DATA
BEGIN
    -- Their rows end with the hold's id, so those of one status stand in the order of time.
    IF NOT EXISTS (SELECT 1 FROM information_schema.statistics
                   WHERE table_schema = DATABASE() AND table_name = 'holds' AND index_name = 'holds_of_payee_in_order') THEN
        ALTER TABLE holds
            ADD INDEX holds_of_payer_in_order (payer_wallet_id, status),
            ADD INDEX holds_of_payee_in_order (payee_wallet_id, status);
    END IF;
END//
DELIMITER ;
CALL add_indexes_of_lists();
DROP PROCEDURE IF EXISTS add_indexes_of_lists;

-- In all of these: the newest first, those older than `p_before`, and of what was done under a key of theirs that which the list
-- is of; NULL is any. A key may be of something else: then there is none. Only holds are chosen by their status here, from an
-- index: of the others the code looks at so many, and no more.

-- Somebody's withdrawals. Under the key that cancelled one stands that one.
DROP PROCEDURE IF EXISTS list_withdrawals;
DELIMITER //
CREATE PROCEDURE list_withdrawals(
    IN p_actor_id BINARY(16),
    IN p_before BINARY(16),
    IN p_key VARBINARY(64),
    IN p_limit INT UNSIGNED
)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT d.id, d.status, d.amount, d.fee, d.currency, d.vpa, d.reason, d.created_at, v.waits_until,
           b.bank_reference AS utr
    FROM wallets w JOIN withdrawals d ON d.wallet_id = w.id LEFT JOIN unsent_withdrawals v ON v.id = d.id
    LEFT JOIN bank_references b
        ON b.kind = 'payout' AND b.gateway = d.provider AND b.outside_id = d.provider_payout_id
    WHERE w.user_id = p_actor_id AND (p_before IS NULL OR d.id < p_before)
        AND (p_key IS NULL OR d.id = (
            SELECT UNHEX(JSON_UNQUOTE(JSON_EXTRACT(r.result, '$.withdrawal_id'))) FROM idempotency_records r
            WHERE r.actor_id = p_actor_id AND r.idem_key = p_key))
    ORDER BY d.id DESC LIMIT p_limit;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

DROP PROCEDURE IF EXISTS find_withdrawal;
DELIMITER //
CREATE PROCEDURE find_withdrawal(IN p_withdrawal_id BINARY(16), IN p_actor_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT d.id, d.status, d.amount, d.fee, d.currency, d.vpa, d.reason, d.created_at, v.waits_until,
           b.bank_reference AS utr
    FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id LEFT JOIN unsent_withdrawals v ON v.id = d.id
    LEFT JOIN bank_references b
        ON b.kind = 'payout' AND b.gateway = d.provider AND b.outside_id = d.provider_payout_id
    WHERE d.id = p_withdrawal_id AND w.user_id = p_actor_id;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- Internal. An attempt as its maker is told of it, and what the gateway wants to know of the payer. `refused` is why the
-- gateway will never take it.
DROP PROCEDURE IF EXISTS answer_top_up;
DELIMITER //
CREATE PROCEDURE answer_top_up(
    IN p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_attempt_id BINARY(16)
)
READS SQL DATA
BEGIN
    SELECT p_outcome AS outcome, JSON_OBJECT(
        'attempt_id', LOWER(HEX(a.id)), 'amount', a.amount, 'currency', a.currency, 'gateway', a.gateway,
        'gateway_order_id', a.gateway_order_id, 'checkout_session', a.checkout_session, 'intent_url', a.intent_url,
        'payer_phone', u.phone, 'payer_email', u.email, 'is_over', a.expires_at <= UTC_TIMESTAMP(6),
        'created_at', DATE_FORMAT(a.created_at, '%Y-%m-%dT%H:%i:%s.%f'),
        'expires_at', DATE_FORMAT(a.expires_at, '%Y-%m-%dT%H:%i:%s.%f'),
        'refused', (SELECT e.reason FROM payment_attempt_events e
                    WHERE e.attempt_id = a.id AND e.gateway_payment_id = '' AND e.status = a.status
                      AND a.status = 'failed')) AS result
    FROM payment_attempts a JOIN wallets w ON w.id = a.wallet_id JOIN users u ON u.id = w.user_id
    WHERE a.id = p_attempt_id;
END//
DELIMITER ;

-- Somebody's top-ups. Callers see `created` as `pending`. Of several payments of one order the credited one's reference is
-- shown, else the last one's. Joined as it is written, as below: an optimizer that begins with the references reads them all.
DROP PROCEDURE IF EXISTS list_top_ups;
DELIMITER //
CREATE PROCEDURE list_top_ups(
    IN p_actor_id BINARY(16),
    IN p_before BINARY(16),
    IN p_key VARBINARY(64),
    IN p_limit INT UNSIGNED
)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT LOWER(HEX(a.id)) AS attempt_id, a.amount, a.currency, a.gateway, a.gateway_order_id, a.checkout_session,
           a.intent_url, a.created_at, a.expires_at, a.expires_at <= UTC_TIMESTAMP(6) AS is_over, a.status, NULL AS refused,
           (SELECT b.bank_reference FROM payment_attempt_events e STRAIGHT_JOIN bank_references b
                ON b.kind = 'payment' AND b.gateway = a.gateway AND b.outside_id = e.gateway_payment_id
            WHERE e.attempt_id = a.id
            ORDER BY e.status = 'succeeded' AND e.reason IS NULL DESC, e.position DESC LIMIT 1) AS rrn
    FROM wallets w JOIN payment_attempts a ON a.wallet_id = w.id
    WHERE w.user_id = p_actor_id AND (p_before IS NULL OR a.id < p_before)
        AND (p_key IS NULL OR a.id = (
            SELECT UNHEX(JSON_UNQUOTE(JSON_EXTRACT(r.result, '$.attempt_id'))) FROM idempotency_records r
            WHERE r.actor_id = p_actor_id AND r.idem_key = p_key))
    ORDER BY a.id DESC LIMIT p_limit;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- Somebody's holds, as payer, as payee, or both (`p_side` NULL). A hold whose time has passed is expired, whether or not the
-- sweep has been. Under the key of a capture or a release stands its hold.
-- Prepared, for an index is sought with constants only: one seek for each side and status; all that stands in it is a number, a
-- name of ours or hexadecimal. Joined as it is written: an optimizer that begins with the people would read them all.
DROP PROCEDURE IF EXISTS list_holds;
DELIMITER //
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
           (SELECT UNHEX(JSON_UNQUOTE(JSON_EXTRACT(result, '$.hold_id'))) FROM idempotency_records
            WHERE actor_id = p_actor_id AND idem_key = p_key)
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
END//
DELIMITER ;

-- Some of somebody's payments (captured holds among them), in no order: those of the ids in `p_ids`, a JSON array of hexadecimal
-- ones; or that which a key of theirs made, with `p_ids` NULL.
DROP PROCEDURE IF EXISTS find_payments;
DELIMITER //
CREATE PROCEDURE find_payments(
    IN p_actor_id BINARY(16),
    IN p_ids TEXT CHARACTER SET ascii COLLATE ascii_bin,
    IN p_key VARBINARY(64)
)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT STRAIGHT_JOIN t.id, t.amount, t.currency, t.description, t.reference, t.created_at,
           (SELECT CAST(COALESCE(SUM(r.amount), 0) AS SIGNED) FROM transactions r FORCE INDEX (transactions_by_cause)
            WHERE r.cause_id = t.id AND r.type = 'refund') AS refunded,
           payer.id AS payer_wallet_id, payer_user.name AS payer_name,
           payee.id AS payee_wallet_id, payee_user.name AS payee_name
    FROM (
        SELECT UNHEX(wanted.id) AS id FROM JSON_TABLE(COALESCE(p_ids, '[]'), '$[*]' COLUMNS (
            id CHAR(32) CHARACTER SET ascii PATH '$'
        )) wanted
        UNION ALL
        SELECT UNHEX(JSON_UNQUOTE(JSON_EXTRACT(r.result, '$.transaction_id'))) FROM idempotency_records r
        WHERE p_ids IS NULL AND r.actor_id = p_actor_id AND r.idem_key = p_key
    ) asked
    JOIN transactions t ON t.id = asked.id AND t.type IN ('payment', 'hold_capture')
    JOIN postings debit ON debit.transaction_id = t.id AND debit.side = 'debit'
    JOIN postings credit ON credit.transaction_id = t.id AND credit.side = 'credit'
    JOIN wallets payer ON payer.id = debit.account_id
    JOIN wallets payee ON payee.id = credit.account_id
    JOIN users payer_user ON payer_user.id = payer.user_id
    JOIN users payee_user ON payee_user.id = payee.user_id
    WHERE p_actor_id IN (payer.user_id, payee.user_id);
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;
