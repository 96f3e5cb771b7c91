-- Internal. Ends a user's sessions, or one of them, or all but one (`p_spared_id`), and raises the generation under the
-- locks of the whole wallet: who holds one of them has compared it, and commits before.
CREATE PROCEDURE end_sessions(
    IN p_user_id BINARY(16),
    IN p_session_id BINARY(16),
    IN p_spared_id BINARY(16),
    IN p_at DATETIME(6)
)
MODIFIES SQL DATA
BEGIN
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;

    SELECT id INTO v_wallet_id FROM wallets WHERE user_id = p_user_id;
    CALL lock_whole_wallet(v_wallet_id, v_status, v_tier);
    UPDATE wallets SET session_generation = session_generation + 1 WHERE id = v_wallet_id;
    UPDATE sessions SET ended_at = p_at
    WHERE user_id = p_user_id AND ended_at IS NULL AND id = COALESCE(p_session_id, id) AND NOT id <=> p_spared_id;
    IF p_session_id IS NULL THEN
        -- where somebody was signed in who is sent out is none of the owner's places
        UPDATE sessions SET address_hash = '' WHERE user_id = p_user_id AND NOT id <=> p_spared_id;
    END IF;
END
