-- Takes the phone from an account whose owner has lost it (`p_phone` NULL), or gives it another one; either ends its
-- sessions, and messages wait until the new phone is proved. An account without a phone is frozen: nobody can sign in to
-- it. A phone that somebody else has is refused, unless their wallet is closed: then it is free, as for who registers. The
-- same phone again says that it is still theirs: who has not been here for long can have a code reset the password then.
CREATE PROCEDURE move_phone(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16),
    IN p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_user_id, v_former_id BINARY(16) DEFAULT NULL;
    DECLARE v_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_before VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_command(p_actor_id, p_key, p_request_hash, p_action_id, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        -- people before wallets, as whoever registers locks them
        CALL lock_owner(p_wallet_id, v_user_id, v_kind, v_name, v_before);
        CALL lock_whole_wallet(p_wallet_id, v_status, v_tier);
        SET v_outcome = IF(v_user_id IS NULL OR v_status IS NULL, 'not_found', 'done');
    END IF;
    IF v_outcome = 'done' AND NOT p_phone <=> v_before THEN
        SELECT u.id INTO v_former_id FROM users u JOIN wallets w ON w.user_id = u.id
        WHERE u.phone = p_phone AND w.status = 'closed';
        IF v_former_id IS NOT NULL THEN
            CALL detach_phone(v_former_id, v_now);
        END IF;
        CALL end_sessions(v_user_id, NULL, NULL, v_now);
        CALL pause_wallet(p_wallet_id, v_now);
        -- whose they are is what the two people have looked at, and not at these
        DELETE FROM passkeys WHERE user_id = v_user_id;
        -- the end of a freeze of their own that was asked for by the phone before is called off
        UPDATE own_freezes SET unfreeze_at = NULL WHERE wallet_id = p_wallet_id;
        DELETE FROM proved_phones WHERE user_id = v_user_id;
        INSERT INTO former_phones (phone, user_id, ended_at)
        SELECT phone, id, v_now FROM users WHERE id = v_user_id AND phone IS NOT NULL;
        BEGIN
            DECLARE CONTINUE HANDLER FOR 1062 SET v_outcome = 'phone_taken';
            UPDATE users SET phone = p_phone, former_phone = IF(p_phone IS NULL, v_before, NULL) WHERE id = v_user_id;
        END;
        IF p_phone IS NULL THEN
            DELETE FROM own_freezes WHERE wallet_id = p_wallet_id; -- it is operators' to end now
        END IF;
        IF p_phone IS NULL AND v_status = 'active' THEN
            SET v_status = 'frozen';
            UPDATE wallets SET status = v_status WHERE id = p_wallet_id;
            CALL note_event(p_wallet_id, NULL, 'WalletFrozen', JSON_OBJECT(), v_now);
        END IF;
    END IF;
    IF v_outcome = 'done' AND p_phone IS NOT NULL THEN
        -- two people know whose it is: a code to this phone resets the password again
        UPDATE users SET signed_in_at = v_now WHERE id = v_user_id;
    END IF;
    IF v_outcome = 'done' THEN
        SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'status', v_status, 'phone', p_phone,
                                   'phone_before', v_before);
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason,
                     IF(p_phone IS NULL, 'free_phone', 'change_phone'), p_wallet_id, NULL);
END
