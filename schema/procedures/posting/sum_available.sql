-- Internal. What a wallet may spend, with all that counts for it though nobody may have written that down yet: holds that
-- have lapsed, and a hot wallet's slots. In one statement: what is swept or gathered between two would be in neither.
CREATE PROCEDURE sum_available(IN p_wallet_id BINARY(16), OUT p_available BIGINT)
READS SQL DATA
BEGIN
    SELECT w.balance - w.held
        + COALESCE((SELECT SUM(h.amount - h.captured) FROM holds h FORCE INDEX (holds_of_payer)
                    WHERE h.payer_wallet_id = w.id AND h.status = 'placed'
                      AND h.expires_at <= UTC_TIMESTAMP(6)), 0)
        + COALESCE((SELECT SUM(s.balance) FROM wallet_slots s WHERE s.wallet_id = w.id), 0)
    INTO p_available FROM wallets w WHERE w.id = p_wallet_id;
END
