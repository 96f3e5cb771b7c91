-- What the dated rows come to for each tier at this moment, and the stretch of time for which they do: of limits, confirmations
-- and the fee on payments the latest that have begun.
CREATE VIEW current_rules AS
SELECT t.code AS tier,
       GREATEST(l.valid_from, COALESCE(c.valid_from, l.valid_from), COALESCE(f.valid_from, l.valid_from)) AS valid_from,
       LEAST(COALESCE((SELECT MIN(n.valid_from) FROM tier_limits n
                       WHERE n.tier = t.code AND n.valid_from > UTC_TIMESTAMP(6)), '9999-12-31'),
             COALESCE((SELECT MIN(n.valid_from) FROM confirmation_rules n
                       WHERE n.tier = t.code AND n.valid_from > UTC_TIMESTAMP(6)), '9999-12-31'),
             COALESCE((SELECT MIN(n.valid_from) FROM fee_rates n
                       WHERE n.movement = 'payment' AND n.valid_from > UTC_TIMESTAMP(6)), '9999-12-31')) AS valid_until,
       t.for_merchants, l.max_balance, l.max_payment, l.max_load_month, l.max_load_year, l.max_debit_day, l.max_debit_month,
       l.person_to_person, c.above AS confirm_above, c.day_above AS confirm_day_above,
       c.new_payee_above AS confirm_new_payee_above,
       COALESCE(f.basis_points > 0 OR f.flat > 0, FALSE) AS payees_are_charged
FROM tiers t
JOIN tier_limits l ON l.tier = t.code AND l.valid_from = (
    SELECT MAX(o.valid_from) FROM tier_limits o WHERE o.tier = t.code AND o.valid_from <= UTC_TIMESTAMP(6))
LEFT JOIN confirmation_rules c ON c.tier = t.code AND c.valid_from = (
    SELECT MAX(o.valid_from) FROM confirmation_rules o WHERE o.tier = t.code AND o.valid_from <= UTC_TIMESTAMP(6))
LEFT JOIN fee_rates f ON f.movement = 'payment' AND f.valid_from = (
    SELECT MAX(o.valid_from) FROM fee_rates o WHERE o.movement = 'payment' AND o.valid_from <= UTC_TIMESTAMP(6))
