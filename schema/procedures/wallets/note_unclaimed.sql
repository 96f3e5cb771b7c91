-- Internal. Tells the owner of a closed or closing wallet of money of theirs that is kept as unclaimed. `p_reason`: 'closed' (it
-- left the wallet) or 'refund' (a payment of theirs was given back).
CREATE PROCEDURE note_unclaimed(
    IN p_transaction_id BINARY(16),
    IN p_wallet_id BINARY(16),
    IN p_amount BIGINT,
    IN p_reason VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    CALL note_event(p_wallet_id, NULL, 'MoneyUnclaimed', JSON_OBJECT(
        'transaction_id', LOWER(HEX(p_transaction_id)), 'amount', p_amount + 0, 'currency', 'INR', 'reason', p_reason),
        p_at);
END
