-- Internal. What of an entry may still go back or be credited: what came, less every refund that has not failed, less what
-- was credited out of suspense, less what each dispute of it takes. The caller holds the lock that these are counted
-- under: the wallet's, or the suspended transaction's.
CREATE PROCEDURE left_to_refund(IN p_transaction_id BINARY(16), OUT p_left BIGINT)
READS SQL DATA
BEGIN
    SELECT t.amount
           - COALESCE((SELECT SUM(r.amount) FROM source_refunds r
                       WHERE r.transaction_id = t.id AND r.status <> 'failed'), 0)
           - COALESCE((SELECT SUM(c.amount) FROM transactions c
                       WHERE c.cause_id = t.id AND c.type = 'adjustment'), 0)
           - COALESCE((SELECT SUM(d.amount) FROM disputed_money d
                       WHERE d.gateway = g.gateway AND d.gateway_payment_id = g.gateway_payment_id), 0)
    INTO p_left
    FROM transactions t LEFT JOIN gateway_payments g ON g.transaction_id = t.id WHERE t.id = p_transaction_id;
END
