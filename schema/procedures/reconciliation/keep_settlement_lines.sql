-- Keeps lines of a settlement report (`p_lines` is a JSON array; times are Unix seconds); of a line that was told before,
-- the latest word stays. Who knows of no disputes tells of none.
CREATE PROCEDURE keep_settlement_lines(
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_lines MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    REPLACE INTO settlement_lines
        (gateway, type, entity_id, payment_id, amount, currency, debit, credit, fee, tax, settlement_id, utr, settled_at,
         told_at, dispute_id)
    SELECT p_gateway, j.type, j.entity_id, j.payment_id, j.amount, j.currency, j.debit, j.credit, j.fee, j.tax,
           j.settlement_id, j.utr, TIMESTAMPADD(SECOND, j.settled_at, '1970-01-01'), UTC_TIMESTAMP(6), j.dispute_id
    FROM JSON_TABLE(p_lines, '$[*]' COLUMNS (
        type VARCHAR(16) CHARACTER SET ascii PATH '$.type',
        entity_id VARCHAR(64) CHARACTER SET ascii PATH '$.entity_id',
        payment_id VARCHAR(64) CHARACTER SET ascii PATH '$.payment_id',
        amount BIGINT PATH '$.amount',
        currency CHAR(3) CHARACTER SET ascii PATH '$.currency',
        debit BIGINT PATH '$.debit',
        credit BIGINT PATH '$.credit',
        fee BIGINT PATH '$.fee',
        tax BIGINT PATH '$.tax',
        settlement_id VARCHAR(64) CHARACTER SET ascii PATH '$.settlement_id',
        utr VARCHAR(64) CHARACTER SET ascii PATH '$.utr',
        settled_at BIGINT PATH '$.settled_at',
        dispute_id VARCHAR(64) CHARACTER SET ascii PATH '$.dispute_id')) AS j
    ORDER BY j.type, j.entity_id;
    SELECT 'done' AS outcome, NULL AS result;
END
