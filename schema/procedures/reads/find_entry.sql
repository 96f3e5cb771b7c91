-- Where somebody's entry in a transaction stands (its slot and number), and what it belongs to: the payment that it is, or whose
-- fee it is; the payment that it gives back; the hold, the top-up, the withdrawal that it is of.
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
           h.hold_id,
           COALESCE(g.attempt_id, cause_g.attempt_id) AS top_up_id,
           COALESCE(d.withdrawal_id, cause_d.withdrawal_id) AS withdrawal_id
    FROM wallets w
    JOIN postings p ON p.transaction_id = p_transaction_id AND p.account_id = w.id AND p.type <> 'gather'
    JOIN transactions t ON t.id = p.transaction_id
    LEFT JOIN transactions cause ON cause.id = t.cause_id
    LEFT JOIN hold_captures h ON h.transaction_id = t.id
    LEFT JOIN gateway_payments g ON g.transaction_id = t.id
    LEFT JOIN gateway_payments cause_g ON cause_g.transaction_id = t.cause_id
    LEFT JOIN withdrawal_bookings d ON d.transaction_id = t.id
    LEFT JOIN withdrawal_bookings cause_d ON cause_d.transaction_id = t.cause_id
    WHERE w.user_id = p_user_id;
    COMMIT AND NO CHAIN NO RELEASE;
END
