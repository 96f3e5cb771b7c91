-- Writes a domain event, in the commit of what it tells. Called under the lock of the wallet, so that its events are
-- numbered in their order.
CREATE PROCEDURE note_event(
    IN p_wallet_id BINARY(16),
    IN p_other_wallet_id BINARY(16),
    IN p_type VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_detail TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    INSERT INTO outbox (wallet_id, other_wallet_id, type, detail, created_at)
    VALUES (p_wallet_id, p_other_wallet_id, p_type, p_detail, p_at);
END
