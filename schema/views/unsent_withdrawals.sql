-- Withdrawals that nobody was asked to pay, which their owner or an operator may stop, and until when they wait, NULL if for
-- nothing that ends by itself: for an address that is new, and behind a reset.
CREATE VIEW unsent_withdrawals AS
SELECT d.id, IF(GREATEST(COALESCE(d.waits_until, w.paused_until), COALESCE(w.paused_until, d.waits_until)) > UTC_TIMESTAMP(6),
                GREATEST(COALESCE(d.waits_until, w.paused_until), COALESCE(w.paused_until, d.waits_until)), NULL)
           AS waits_until
FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id
WHERE d.status = 'pending' AND NOT d.asked AND d.provider_payout_id IS NULL
