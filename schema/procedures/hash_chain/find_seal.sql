-- Where a transaction is sealed in which somebody's wallet has a line: the wallet, the position (NULL: it has no seal yet)
-- and the number of the checkpoint that it is under (0: none yet). Numbers and positions grow together, so by halving.
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
END
