-- Internal. An attempt as its maker is told of it, and what the gateway wants to know of the payer. `refused` is why the
-- gateway will never take it.
CREATE PROCEDURE answer_top_up(
    IN p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_attempt_id BINARY(16)
)
READS SQL DATA
BEGIN
    SELECT p_outcome AS outcome, JSON_OBJECT(
        'attempt_id', LOWER(HEX(a.id)), 'amount', a.amount, 'currency', a.currency, 'gateway', a.gateway,
        'gateway_order_id', a.gateway_order_id, 'checkout_session', a.checkout_session, 'intent_url', a.intent_url,
        'payer_phone', u.phone, 'payer_email', u.email, 'is_over', a.expires_at <= UTC_TIMESTAMP(6),
        'created_at', DATE_FORMAT(a.created_at, '%Y-%m-%dT%H:%i:%s.%f'),
        'expires_at', DATE_FORMAT(a.expires_at, '%Y-%m-%dT%H:%i:%s.%f'),
        'refused', (SELECT e.reason FROM payment_attempt_events e
                    WHERE e.attempt_id = a.id AND e.gateway_payment_id = '' AND e.status = a.status
                      AND a.status = 'failed')) AS result
    FROM payment_attempts a JOIN wallets w ON w.id = a.wallet_id JOIN users u ON u.id = w.user_id
    WHERE a.id = p_attempt_id;
END
