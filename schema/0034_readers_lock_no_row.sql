-- What shows people their own reads by procedures alone: the user `reader` may SELECT from no table, so it can lock no row.
--
-- Who may SELECT may lock, whatever its session is set to (docs/decisions/0042-least-reach.md). Within each of these the
-- caller's own transaction has ended, whatever it was, and what is read is read in another one. Only SELECTs read there, with
-- INTO where need be: InnoDB locks what is read by a SET or an IF, in whatever transaction.
-- serves code from 0034

-- ------------------------------------------------------------------------------------------------------------ wallets

-- Somebody's wallet as it stands. A hold whose time is over holds nothing, whether or not the sweep has come by. Slots are
-- all there in one snapshot. A wallet's own time may be ahead of the server's clock, which may have been set back: it is as
-- of its last entry.
DROP PROCEDURE IF EXISTS find_wallet;
DELIMITER //
CREATE PROCEDURE find_wallet(IN p_user_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT w.id, u.kind, m.user_id IS NOT NULL AS approved, w.currency, w.status, w.slots, w.tier,
           l.max_balance, l.max_top_up, l.max_payment, l.max_load_month, l.max_load_year, l.max_debit_day,
           l.max_debit_month, l.person_to_person, l.withdrawals,
           w.usage_day, w.debited_day, w.usage_month, w.debited_month, w.loaded_month, w.usage_year, w.loaded_year,
           CAST(w.balance + COALESCE(
               (SELECT SUM(s.balance) FROM wallet_slots s WHERE s.wallet_id = w.id), 0) AS SIGNED) AS total,
           CAST(w.held - COALESCE(
               (SELECT SUM(h.amount - h.captured) FROM holds h WHERE h.payer_wallet_id = w.id AND h.status = 'placed'
                AND h.expires_at <= UTC_TIMESTAMP(6)), 0) AS SIGNED) AS held,
           GREATEST(UTC_TIMESTAMP(6), w.last_entry_at, COALESCE(
               (SELECT MAX(s.last_entry_at) FROM wallet_slots s WHERE s.wallet_id = w.id), w.last_entry_at)) AS now
    FROM wallets w
    JOIN users u ON u.id = w.user_id
    LEFT JOIN merchant_approvals m ON m.user_id = u.id
    JOIN tier_limits l ON l.tier = w.tier AND l.valid_from = (
        SELECT MAX(f.valid_from) FROM tier_limits f WHERE f.tier = w.tier AND f.valid_from <= UTC_TIMESTAMP(6))
    WHERE w.user_id = p_user_id;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- What a wallet held at a time. Every change of `held` has what is held behind it, as postings have the balance. A hold that
-- had expired by then and was not swept yet is one that has ended as expired since or not at all: captures and releases come
-- before the expiry.
DROP PROCEDURE IF EXISTS find_held_at;
DELIMITER //
CREATE PROCEDURE find_held_at(IN p_wallet_id BINARY(16), IN p_at DATETIME(6))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT CAST(
        COALESCE((SELECT held_after FROM held_changes FORCE INDEX (held_changes_by_time)
            WHERE wallet_id = p_wallet_id AND created_at <= p_at ORDER BY created_at DESC, change_no DESC LIMIT 1), 0)
        - COALESCE((SELECT SUM(amount - captured) FROM holds
            WHERE payer_wallet_id = p_wallet_id AND status IN ('placed', 'expired') AND expires_at <= p_at
                AND (ended_at IS NULL OR ended_at > p_at)), 0) AS SIGNED) AS held;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- Who has a wallet.
DROP PROCEDURE IF EXISTS find_wallet_owner;
DELIMITER //
CREATE PROCEDURE find_wallet_owner(IN p_wallet_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT u.name, IF(m.user_id IS NULL, 'personal', u.kind) AS kind, COALESCE(u.phone, u.former_phone) AS phone,
           w.currency, w.created_at
    FROM wallets w JOIN users u ON u.id = w.user_id LEFT JOIN merchant_approvals m ON m.user_id = u.id
    WHERE w.id = p_wallet_id;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- --------------------------------------------------------------------------------------------------------- statements

-- How many entries each slot of somebody's wallet has, all in one snapshot: of money that is gathered from one to another,
-- both postings or none.
DROP PROCEDURE IF EXISTS list_slots;
DELIMITER //
CREATE PROCEDURE list_slots(IN p_user_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT w.id AS wallet_id, 0 AS slot, w.entries, UTC_TIMESTAMP(6) AS now FROM wallets w WHERE w.user_id = p_user_id
    UNION ALL
    SELECT s.wallet_id, s.slot, s.entries, UTC_TIMESTAMP(6) FROM wallets w JOIN wallet_slots s ON s.wallet_id = w.id
    WHERE w.user_id = p_user_id
    ORDER BY slot;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- What a wallet's slots had at some points: `p_points` is a JSON array of [slot, time, entry number], and each is answered
-- with the newest posting of its slot at that time that is numbered up to there, null if there is none. One seek each, in one
-- snapshot: an index is sought with constants only, so no join could ask for all of them.
DROP PROCEDURE IF EXISTS find_slot_balances;
DELIMITER //
CREATE PROCEDURE find_slot_balances(IN p_wallet_id BINARY(16), IN p_points TEXT CHARACTER SET ascii COLLATE ascii_bin)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_slot TINYINT UNSIGNED DEFAULT 0;
    DECLARE v_at DATETIME(6) DEFAULT NULL;
    DECLARE v_upto BIGINT DEFAULT 0;
    DECLARE v_posting TEXT CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_found MEDIUMTEXT CHARACTER SET ascii COLLATE ascii_bin DEFAULT '';
    DECLARE v_is_last BOOLEAN DEFAULT FALSE;
    DECLARE v_points CURSOR FOR
        SELECT point.slot, point.at, point.upto
        FROM JSON_TABLE(p_points, '$[*]' COLUMNS (
            number FOR ORDINALITY, slot TINYINT UNSIGNED PATH '$[0]', at DATETIME(6) PATH '$[1]', upto BIGINT PATH '$[2]'
        )) point ORDER BY point.number;
    DECLARE CONTINUE HANDLER FOR NOT FOUND SET v_is_last = TRUE;

    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
    START TRANSACTION WITH CONSISTENT SNAPSHOT;
    OPEN v_points;
    points: LOOP
        FETCH v_points INTO v_slot, v_at, v_upto;
        IF v_is_last THEN
            LEAVE points;
        END IF;
        SELECT (
            SELECT CONCAT('[', entry_no, ',', balance_after, ',', IF(side = 'credit', amount, -amount), ',"',
                          LOWER(HEX(transaction_id)), '","', DATE_FORMAT(created_at, '%Y-%m-%dT%H:%i:%s.%f'), '"]')
            FROM postings FORCE INDEX (postings_by_time)
            WHERE account_id = p_wallet_id AND slot = v_slot AND created_at <= v_at AND entry_no <= v_upto
            ORDER BY created_at DESC LIMIT 1)
        INTO v_posting;
        SET v_found = CONCAT(v_found, IF(v_found = '', '', ','), COALESCE(v_posting, 'null'));
    END LOOP;
    CLOSE v_points;
    SELECT CONCAT('[', v_found, ']') AS found;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- -------------------------------------------------------------------------------------------------------------- files

-- A file of the actor's: how many of its rows are in each status, and what they come to.
DROP PROCEDURE IF EXISTS find_bulk_payment;
DELIMITER //
CREATE PROCEDURE find_bulk_payment(IN p_bulk_payment_id BINARY(16), IN p_actor_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT b.status AS bulk_status, b.row_count, b.total, b.currency, b.created_at, b.finished_at,
           r.status, COUNT(*) AS counted, SUM(r.amount) AS amount
    FROM bulk_payments b JOIN bulk_payment_rows r ON r.bulk_payment_id = b.id
    WHERE b.id = p_bulk_payment_id AND b.user_id = p_actor_id
    GROUP BY b.status, b.row_count, b.total, b.currency, b.created_at, b.finished_at, r.status;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- The first rows behind a line of a file of the actor's, all or those in one status.
DROP PROCEDURE IF EXISTS list_bulk_rows;
DELIMITER //
CREATE PROCEDURE list_bulk_rows(
    IN p_bulk_payment_id BINARY(16),
    IN p_actor_id BINARY(16),
    IN p_after INT UNSIGNED,
    IN p_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_limit INT UNSIGNED
)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT r.line, r.payee_wallet_id, r.payee_phone, r.amount, r.description, r.reference,
           r.status, r.refusal, r.transaction_id, r.ended_at
    FROM bulk_payment_rows r JOIN bulk_payments b ON b.id = r.bulk_payment_id
    WHERE b.id = p_bulk_payment_id AND b.user_id = p_actor_id AND r.line > p_after
        AND (p_status IS NULL OR r.status = p_status)
    ORDER BY r.line LIMIT p_limit;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- ------------------------------------------------------------------------------------------------------------ notices

-- Whom a notice about a wallet goes to, and who is on the other side, NULL if nobody.
DROP PROCEDURE IF EXISTS find_recipient;
DELIMITER //
CREATE PROCEDURE find_recipient(IN p_wallet_id BINARY(16), IN p_other_wallet_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT u.id, u.phone, p.user_id IS NOT NULL AS phone_is_proved, other_user.name AS other_name,
           IF(m.user_id IS NULL, 'personal', other_user.kind) AS other_kind
    FROM wallets w JOIN users u ON u.id = w.user_id
    LEFT JOIN proved_phones p ON p.user_id = u.id AND p.phone = u.phone
    LEFT JOIN wallets other ON other.id = p_other_wallet_id LEFT JOIN users other_user ON other_user.id = other.user_id
    LEFT JOIN merchant_approvals m ON m.user_id = other_user.id
    WHERE w.id = p_wallet_id;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- The phone that an account had last before a time.
DROP PROCEDURE IF EXISTS find_former_phone;
DELIMITER //
CREATE PROCEDURE find_former_phone(IN p_user_id BINARY(16), IN p_before DATETIME(6))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT phone FROM former_phones WHERE user_id = p_user_id AND ended_at < p_before ORDER BY ended_at DESC LIMIT 1;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- ------------------------------------------------------------------------------------------------------------- proofs

-- Where a transaction is sealed in which somebody's wallet has a line: the wallet, the position (NULL: it has no seal yet)
-- and the number of the checkpoint that it is under (0: none yet). Numbers and positions grow together, so by halving.
DROP PROCEDURE IF EXISTS find_seal;
DELIMITER //
CREATE PROCEDURE find_seal(IN p_user_id BINARY(16), IN p_transaction_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_position BIGINT DEFAULT NULL;
    DECLARE v_low, v_high, v_middle BIGINT DEFAULT 0;
    DECLARE v_is_behind BOOLEAN DEFAULT FALSE;

    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
    START TRANSACTION;
    SELECT (
        SELECT w.id FROM wallets w WHERE w.user_id = p_user_id AND EXISTS (
            SELECT 1 FROM postings p WHERE p.transaction_id = p_transaction_id AND p.account_id = w.id))
    INTO v_wallet_id;
    IF v_wallet_id IS NOT NULL THEN
        SELECT (SELECT position FROM seals WHERE transaction_id = p_transaction_id) INTO v_position;
    END IF;
    IF v_position IS NOT NULL THEN
        SELECT COALESCE(MAX(number), 0) INTO v_high FROM checkpoints;
        WHILE v_low < v_high DO
            SET v_middle = (v_low + v_high + 1) DIV 2;
            SELECT EXISTS (SELECT 1 FROM checkpoints WHERE number = v_middle AND first_position <= v_position) INTO v_is_behind;
            IF v_is_behind THEN
                SET v_low = v_middle;
            ELSE
                SET v_high = v_middle - 1;
            END IF;
        END WHILE;
    END IF;
    SELECT v_wallet_id AS wallet_id, v_position AS position, v_low AS number FROM DUAL WHERE v_wallet_id IS NOT NULL;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- A checkpoint by its number, with the one before it.
DROP PROCEDURE IF EXISTS find_checkpoint;
DELIMITER //
CREATE PROCEDURE find_checkpoint(IN p_number BIGINT)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT i.id AS ledger, c.*, b.digest AS digest_before, b.last_position AS last_before, b.chain AS chain_of_before,
           b.balances AS balances_before, b.first_position AS first_before, b.sealed_at AS sealed_before
    FROM ledger_identity i LEFT JOIN checkpoints c ON c.number = p_number LEFT JOIN checkpoints b ON b.number = p_number - 1;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- The seals at some positions, in their order.
DROP PROCEDURE IF EXISTS list_seals;
DELIMITER //
CREATE PROCEDURE list_seals(IN p_first BIGINT, IN p_last BIGINT)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT position, transaction_id, salt, leaf FROM seals WHERE position BETWEEN p_first AND p_last ORDER BY position;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- The postings of a transaction, as they are sealed.
DROP PROCEDURE IF EXISTS list_sealed_postings;
DELIMITER //
CREATE PROCEDURE list_sealed_postings(IN p_transaction_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT line, account_id, slot, type, side, amount, entry_no, balance_after, created_at
    FROM postings WHERE transaction_id = p_transaction_id ORDER BY line;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- The transaction, as it is sealed.
DROP PROCEDURE IF EXISTS find_sealed_transaction;
DELIMITER //
CREATE PROCEDURE find_sealed_transaction(IN p_transaction_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT id, type, amount, currency, actor_id, description, reference, attempt_id, gateway, gateway_payment_id,
           suspense_reason, cause_id, hold_id, withdrawal_id, source_refund_id, created_at
    FROM transactions WHERE id = p_transaction_id;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;
