-- Internal. The wallet that a payee is named by, of those that anybody can be paid in (a closed one is as none), and why a
-- payer who may (`p_person_to_person`) or may not pay people is refused it, before any lock: NULL if it isn't. `p_kind`
-- is 'merchant' only with a tier for merchants: what people say of themselves lifts no limit.
CREATE PROCEDURE refuse_payee(
    IN p_wallet_id BINARY(16),
    IN p_phone VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_person_to_person BOOLEAN,
    OUT p_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin,
    OUT p_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_payee_id BINARY(16),
    OUT p_name VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    OUT p_kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin
)
READS SQL DATA
BEGIN
    IF p_phone IS NOT NULL THEN
        SELECT w.id, u.name, IF(t.for_merchants, u.kind, 'personal') INTO p_payee_id, p_name, p_kind
        FROM users u JOIN wallets w ON w.user_id = u.id JOIN tiers t ON t.code = w.tier
        WHERE u.phone = p_phone AND w.status <> 'closed';
    ELSE
        SELECT w.id, u.name, IF(t.for_merchants, u.kind, 'personal') INTO p_payee_id, p_name, p_kind
        FROM wallets w JOIN users u ON u.id = w.user_id JOIN tiers t ON t.code = w.tier
        WHERE w.id = p_wallet_id AND w.status <> 'closed';
    END IF;
    IF NOT p_person_to_person AND COALESCE(p_kind, 'personal') = 'personal' THEN
        -- whether or not there is such a person
        CALL tell_limit('person_to_person', p_outcome, p_result);
    ELSEIF p_payee_id IS NULL THEN
        SET p_outcome = 'payee_unavailable';
    END IF;
END
