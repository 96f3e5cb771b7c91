-- What came to `unclaimed`: whose it is (`wallet_id`: the wallet that was closed), and what of it is still there.
CREATE VIEW unclaimed_money AS
SELECT t.id, t.type, owner.account_id AS wallet_id, t.amount, t.currency, t.created_at,
       CAST(t.amount - COALESCE((SELECT SUM(c.amount) FROM transactions c
                                 WHERE c.cause_id = t.id AND c.type = 'adjustment'), 0) AS SIGNED) AS rest
FROM accounts a
JOIN postings p ON p.account_id = a.id AND p.side = 'credit'
JOIN transactions t ON t.id = p.transaction_id
JOIN postings owner ON owner.transaction_id = COALESCE(t.cause_id, t.id) AND owner.line = 1
WHERE a.code = 'unclaimed'
