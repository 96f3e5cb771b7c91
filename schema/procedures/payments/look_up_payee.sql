-- Who somebody would pay, before they do: the one place that names people to others without money. It is counted first,
-- for the caller and for the address that they ask from, whether or not anybody is found, as a directory is read by its
-- hits; and whoever has used up a quota uses up no other one by asking on. `kind` is 'merchant' for who registered as
-- one and is approved. A wallet that is frozen, full or limited is found like any other.
CREATE PROCEDURE look_up_payee(
    IN p_caller_id BINARY(16),
    IN p_address_hash BINARY(16),
    IN p_per_hour INT UNSIGNED,
    IN p_per_day INT UNSIGNED,
    IN p_per_address INT UNSIGNED,
    IN p_wallet_id BINARY(16),
    IN p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_id BINARY(16) DEFAULT NULL;
    DECLARE v_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_free_at DATETIME(6) DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL use_quota(p_caller_id, 'lookups_of_hour', 1, p_per_hour, 3600, v_free_at);
    CALL use_quota(p_caller_id, 'lookups_of_day', 1, p_per_day, 86400, v_free_at);
    CALL use_quota(p_address_hash, 'lookups_of_address', 1, p_per_address, 3600, v_free_at);
    IF v_free_at IS NULL THEN
        COMMIT;
        IF p_phone IS NOT NULL THEN
            SELECT w.id, u.name, IF(m.user_id IS NULL, 'personal', u.kind) INTO v_id, v_name, v_kind
            FROM users u JOIN wallets w ON w.user_id = u.id LEFT JOIN merchant_approvals m ON m.user_id = u.id
            WHERE u.phone = p_phone AND w.status <> 'closed';
        ELSE
            SELECT w.id, u.name, IF(m.user_id IS NULL, 'personal', u.kind) INTO v_id, v_name, v_kind
            FROM wallets w JOIN users u ON u.id = w.user_id LEFT JOIN merchant_approvals m ON m.user_id = u.id
            WHERE w.id = p_wallet_id AND w.status <> 'closed';
        END IF;
        SELECT IF(v_id IS NULL, 'payee_not_found', 'done') AS outcome,
               JSON_OBJECT('wallet_id', LOWER(HEX(v_id)), 'name', v_name, 'kind', v_kind) AS result;
    ELSE
        ROLLBACK;
        CALL tell_retry(v_free_at, v_result);
        SELECT 'too_many_lookups' AS outcome, v_result AS result;
    END IF;
END
