-- What each dispute takes of its payment, in minor units.
CREATE VIEW disputed_money AS
SELECT id, gateway, gateway_payment_id,
       GREATEST(IF(status IN ('won', 'closed'), 0, amount), from_wallet + from_suspense + from_losses) AS amount
FROM payment_disputes
