-- What a wallet's slots had at some points: `p_points` is a JSON array of [slot, time, entry number], and each is answered
-- with the newest posting of its slot at that time that is numbered up to there, null if there is none. One seek each, in one
-- snapshot: an index is sought with constants only, so no join could ask for all of them.
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
END
