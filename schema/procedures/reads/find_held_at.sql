-- What a wallet held at a time. Every change of `held` has what is held behind it, as postings have the balance. A hold that
-- had expired by then and was not swept yet is one that has ended as expired since or not at all: captures and releases come
-- before the expiry.
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
END
