-- Some of somebody's payments (captured holds among them), in no order: those of the ids in `p_ids`, a JSON array of hexadecimal
-- ones; or that which a key of theirs made, with `p_ids` NULL.
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
    SELECT STRAIGHT_JOIN t.id AS transaction_id, t.amount, t.currency, t.description, t.reference, t.created_at,
           (SELECT CAST(COALESCE(SUM(r.amount), 0) AS SIGNED) FROM transactions r FORCE INDEX (transactions_by_cause)
            WHERE r.cause_id = t.id AND r.type = 'refund') AS refunded,
           payer.id AS payer_wallet_id, payer_user.name AS payer_name,
           payee.id AS payee_wallet_id, payee_user.name AS payee_name
    FROM (
        SELECT UNHEX(wanted.id) AS id FROM JSON_TABLE(COALESCE(p_ids, '[]'), '$[*]' COLUMNS (
            id CHAR(32) CHARACTER SET ascii PATH '$'
        )) wanted
        UNION ALL
        SELECT r.made_id FROM idempotency_records r
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
END
