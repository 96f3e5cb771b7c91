-- Every account with its sums; over all accounts of a currency, debits equal credits.
CREATE VIEW trial_balance AS
SELECT a.code, a.kind, t.currency,
       CAST(SUM(CASE WHEN p.side = 'debit' THEN p.amount ELSE 0 END) AS SIGNED) AS debits,
       CAST(SUM(CASE WHEN p.side = 'credit' THEN p.amount ELSE 0 END) AS SIGNED) AS credits
FROM postings p
JOIN transactions t ON t.id = p.transaction_id
JOIN accounts a ON a.id = p.account_id
GROUP BY a.id, a.code, a.kind, t.currency
