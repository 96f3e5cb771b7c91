-- Internal. Which of two quotas a payer has: that of people, or that of merchants, who pay by files of 10,000 rows.
CREATE PROCEDURE quota_of(
    IN p_user_id BINARY(16),
    IN p_of_people INT UNSIGNED,
    IN p_of_merchants INT UNSIGNED,
    OUT p_allowed INT UNSIGNED
)
READS SQL DATA
BEGIN
    SELECT IF(t.for_merchants AND u.kind = 'merchant', p_of_merchants, p_of_people) INTO p_allowed
    FROM users u JOIN wallets w ON w.user_id = u.id JOIN tiers t ON t.code = w.tier WHERE u.id = p_user_id;
END
