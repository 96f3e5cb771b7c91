-- Who people are, as far as an operator has looked: merchants that are approved, and phones that are their owners'.
-- What people say of themselves (`users.kind`, `users.phone`) names nobody to others and has nobody sent anything.

-- Merchants that others are shown as such. `registered_name` is what the end of the approval puts back.
CREATE TABLE IF NOT EXISTS merchant_approvals (
    user_id         BINARY(16)   NOT NULL,
    registered_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    approved_at     DATETIME(6)  NOT NULL,
    CONSTRAINT merchant_approvals_pk PRIMARY KEY (user_id),
    CONSTRAINT merchant_approvals_user_exists FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Phones that are known to be their owners', and may be sent messages. It says which phone: another one is not proved.
CREATE TABLE IF NOT EXISTS proved_phones (
    user_id   BINARY(16)  NOT NULL,
    phone     VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    proved_at DATETIME(6) NOT NULL,
    CONSTRAINT proved_phones_pk PRIMARY KEY (user_id),
    CONSTRAINT proved_phones_user_exists FOREIGN KEY (user_id) REFERENCES users (id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Internal. The owner of a wallet that is not closed, locked; NULL if there is no such wallet.
DROP PROCEDURE IF EXISTS lock_owner;
DELIMITER //
CREATE PROCEDURE lock_owner(
    IN p_wallet_id BINARY(16),
    OUT p_user_id BINARY(16),
    OUT p_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
READS SQL DATA
BEGIN
    DECLARE v_user_id BINARY(16) DEFAULT NULL;

    SET p_user_id = NULL;
    SELECT user_id INTO v_user_id FROM wallets WHERE id = p_wallet_id AND status <> 'closed';
    SELECT id, kind, name, phone INTO p_user_id, p_kind, p_name, p_phone FROM users WHERE id = v_user_id FOR UPDATE;
END//
DELIMITER ;

-- Approves who registered as a merchant, and gives them a name if one is told. Approved again they stay it, and take
-- another name. `invalid_request` if they registered as a person.
DROP PROCEDURE IF EXISTS approve_merchant;
DELIMITER //
CREATE PROCEDURE approve_merchant(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16),
    IN p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_user_id BINARY(16) DEFAULT NULL;
    DECLARE v_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL lock_owner(p_wallet_id, v_user_id, v_kind, v_name, v_phone);
        SET v_outcome = CASE
            WHEN v_user_id IS NULL THEN 'not_found'
            WHEN v_kind <> 'merchant' THEN 'invalid_request'
            ELSE 'done' END;
        IF v_outcome = 'done' THEN
            INSERT INTO merchant_approvals (user_id, registered_name, approved_at)
            VALUES (v_user_id, v_name, UTC_TIMESTAMP(6)) ON DUPLICATE KEY UPDATE approved_at = approved_at;
            UPDATE users SET name = COALESCE(p_name, v_name) WHERE id = v_user_id;
            SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'name', COALESCE(p_name, v_name),
                                       'name_before', v_name);
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'approve_merchant',
                     p_wallet_id, NULL);
END//
DELIMITER ;

-- Ends a merchant's approval: they have the name again that they had before it. Who is not approved stays it.
DROP PROCEDURE IF EXISTS revoke_merchant;
DELIMITER //
CREATE PROCEDURE revoke_merchant(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_user_id BINARY(16) DEFAULT NULL;
    DECLARE v_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_registered VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL lock_owner(p_wallet_id, v_user_id, v_kind, v_name, v_phone);
        SET v_outcome = IF(v_user_id IS NULL, 'not_found', 'done');
        IF v_outcome = 'done' THEN
            SET v_registered = COALESCE((SELECT registered_name FROM merchant_approvals WHERE user_id = v_user_id), v_name);
            UPDATE users SET name = v_registered WHERE id = v_user_id;
            DELETE FROM merchant_approvals WHERE user_id = v_user_id;
            SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'name', v_registered, 'name_before', v_name);
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'revoke_merchant',
                     p_wallet_id, NULL);
END//
DELIMITER ;

-- Says that the phone of a wallet's owner is really theirs, or that this is not known (`p_proved` FALSE).
DROP PROCEDURE IF EXISTS set_phone_proved;
DELIMITER //
CREATE PROCEDURE set_phone_proved(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_action_id BINARY(16),
    IN p_operator VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reason VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_wallet_id BINARY(16),
    IN p_proved BOOLEAN
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_user_id BINARY(16) DEFAULT NULL;
    DECLARE v_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        CALL lock_owner(p_wallet_id, v_user_id, v_kind, v_name, v_phone);
        SET v_outcome = IF(v_phone IS NULL, 'not_found', 'done');
        IF v_outcome = 'done' THEN
            DELETE FROM proved_phones WHERE user_id = v_user_id;
            IF p_proved THEN
                INSERT INTO proved_phones (user_id, phone, proved_at) VALUES (v_user_id, v_phone, UTC_TIMESTAMP(6));
            END IF;
            SET v_result = JSON_OBJECT('wallet_id', LOWER(HEX(p_wallet_id)), 'proved', p_proved + 0);
        END IF;
    END IF;
    CALL end_command(v_outcome, v_result, p_actor_id, p_key, p_action_id, p_operator, p_reason, 'set_phone_proved',
                     p_wallet_id, NULL);
END//
DELIMITER ;
