-- What is left of each payment that went to suspense: what came, less what went back or is about to, less what was credited,
-- less what is disputed of the rest. Negative where the gateway gave back what we had credited.
CREATE VIEW money_in_suspense AS
SELECT s.id, s.suspense_reason, s.gateway, s.gateway_payment_id, s.amount, s.currency, s.attempt_id, s.created_at,
       CAST(IF(s.undisputed > 0,
               GREATEST(0, s.undisputed - COALESCE((
                   SELECT SUM(d.amount) FROM disputed_money d
                   WHERE d.gateway = s.gateway AND d.gateway_payment_id = s.gateway_payment_id), 0)),
               s.undisputed) AS SIGNED) AS rest
FROM (SELECT t.id, g.suspense_reason, g.gateway, g.gateway_payment_id, t.amount, t.currency, g.attempt_id, t.created_at,
             t.amount
             - COALESCE((SELECT SUM(r.amount) FROM source_refunds r
                         WHERE r.transaction_id = t.id AND r.status <> 'failed'), 0)
             - COALESCE((SELECT SUM(c.amount) FROM transactions c
                         WHERE c.cause_id = t.id AND c.type = 'adjustment'), 0) AS undisputed
      FROM gateway_payments g JOIN transactions t ON t.id = g.transaction_id WHERE g.suspense_reason IS NOT NULL) s
