-- Internal. After a reset of the password, or another phone, nothing of a wallet is confirmed for as long as its tier says.
-- The wallet is locked.
CREATE PROCEDURE pause_wallet(IN p_wallet_id BINARY(16), IN p_at DATETIME(6))
MODIFIES SQL DATA
BEGIN
    DECLARE v_wait_s INT UNSIGNED DEFAULT 0;

    SELECT c.reset_wait_s INTO v_wait_s FROM wallets w JOIN confirmation_rules c ON c.tier = w.tier
    WHERE w.id = p_wallet_id AND c.valid_from <= p_at ORDER BY c.valid_from DESC LIMIT 1;
    IF v_wait_s > 0 THEN
        UPDATE wallets
        SET paused_until = GREATEST(COALESCE(paused_until, p_at), p_at + INTERVAL v_wait_s SECOND) WHERE id = p_wallet_id;
    END IF;
END
