-- How many entries each slot of somebody's wallet has, all in one snapshot: of money that is gathered from one to another,
-- both postings or none.
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
END
