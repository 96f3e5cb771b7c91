-- Requests as they stand, and who asks. What has been paid stays paid, however it would have ended. `is_known`: whoever was given
-- its id may still look: the name of who asks is not for ever. Without a subquery, or MySQL would read the whole of it each time.
CREATE VIEW payment_request_states AS
SELECT r.id, r.wallet_id, r.amount, r.currency, r.description, r.created_at, r.expires_at, w.user_id, u.name,
       IF(m.user_id IS NULL, 'personal', u.kind) AS kind,
       CASE WHEN p.only_of IS NOT NULL THEN 'paid'
            WHEN r.cancelled_at IS NOT NULL THEN 'cancelled'
            WHEN r.expires_at <= UTC_TIMESTAMP(6) THEN 'expired'
            ELSE 'open' END AS status,
       w.status <> 'closed'
           AND LEAST(r.expires_at, COALESCE(r.cancelled_at, r.expires_at)) > UTC_TIMESTAMP(6) - INTERVAL 30 DAY AS is_known
FROM payment_requests r
JOIN wallets w ON w.id = r.wallet_id
JOIN users u ON u.id = w.user_id
LEFT JOIN merchant_approvals m ON m.user_id = u.id
LEFT JOIN payment_request_payments p ON p.only_of = r.id
