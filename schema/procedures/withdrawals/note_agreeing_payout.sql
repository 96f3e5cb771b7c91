-- Writes down which payout the provider has made of a withdrawal, believed only as far as it agrees with what was asked
-- for, as everything that a provider says. The first stays: 'mismatch' if this is not it.
CREATE PROCEDURE note_agreeing_payout(
    IN p_withdrawal_id BINARY(16),
    IN p_provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payout_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'unknown_withdrawal';

    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 BEGIN END; -- another withdrawal's: it stays unknown here
        UPDATE withdrawals SET provider_payout_id = p_payout_id
        WHERE id = p_withdrawal_id AND provider_payout_id IS NULL
          AND provider = p_provider AND amount = p_amount AND currency = p_currency;
    END;
    SELECT IF(provider_payout_id <=> p_payout_id AND provider = p_provider AND amount = p_amount
              AND currency = p_currency, 'done', 'mismatch') INTO v_outcome
    FROM withdrawals WHERE id = p_withdrawal_id;
    SELECT v_outcome AS outcome, NULL AS result;
END
