-- Writes down what the gateway says of a dispute, in whatever order it is told and however often. By the gateway's own time
-- the latest news stands; of the same moment the later phase, then the one nearer to the end. A payment that is not in the
-- books (yet) is disputed all the same. 'done'; 'duplicate' (known, or old); 'mismatch': another payment or currency than
-- before, or than the payment's; 'contradicted': ended two ways at one moment. `wallet.ledger.disputes.is_newer` is the same
-- rule in Python.
CREATE PROCEDURE record_payment_dispute(
    IN p_id BINARY(16),
    IN p_gateway VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_their_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_payment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_amount BIGINT,
    IN p_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_phase VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_reason VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    IN p_respond_by DATETIME(6),
    IN p_told_at DATETIME(6)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_word VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_id BINARY(16) DEFAULT p_id;
    DECLARE v_is_new BOOLEAN DEFAULT TRUE;
    DECLARE v_agrees, v_same, v_was_open BOOLEAN DEFAULT FALSE;
    DECLARE v_told_at DATETIME(6) DEFAULT NULL;
    DECLARE v_rank, v_news_rank INT DEFAULT 0;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    BEGIN
        DECLARE CONTINUE HANDLER FOR 1062 SET v_is_new = FALSE;
        INSERT INTO payment_disputes
            (id, gateway, gateway_dispute_id, gateway_payment_id, amount, currency, phase, status, gateway_status, reason,
             respond_by, told_at, created_at)
        VALUES (p_id, p_gateway, p_their_id, p_payment_id, p_amount, p_currency, p_phase, p_status, p_status, p_reason,
                p_respond_by, p_told_at, UTC_TIMESTAMP(6));
    END;
    SELECT id, gateway_payment_id = p_payment_id AND currency = p_currency, told_at,
           FIELD(phase, 'fraud', 'retrieval', 'dispute', 'chargeback', 'pre_arbitration', 'arbitration') * 10
               + FIELD(gateway_status, 'under_review', 'action_required', 'won', 'lost', 'closed'),
           gateway_status = p_status AND phase = p_phase, gateway_status, ended_at IS NULL AND wallet_id IS NOT NULL
    INTO v_id, v_agrees, v_told_at, v_rank, v_same, v_word, v_was_open
    FROM payment_disputes WHERE gateway = p_gateway AND gateway_dispute_id = p_their_id FOR UPDATE;
    SET v_news_rank = FIELD(p_phase, 'fraud', 'retrieval', 'dispute', 'chargeback', 'pre_arbitration', 'arbitration') * 10
        + FIELD(p_status, 'under_review', 'action_required', 'won', 'lost', 'closed');
    IF EXISTS (SELECT 1 FROM gateway_payments g JOIN transactions t ON t.id = g.transaction_id
               WHERE g.gateway = p_gateway AND g.gateway_payment_id = p_payment_id AND t.currency <> p_currency) THEN
        SET v_agrees = FALSE;
    END IF;
    SET v_outcome = CASE
        WHEN NOT v_agrees THEN 'mismatch'
        WHEN v_is_new OR p_told_at > v_told_at THEN 'done'
        WHEN p_told_at < v_told_at OR v_same THEN 'duplicate'
        WHEN v_rank DIV 10 = v_news_rank DIV 10 AND v_rank MOD 10 >= 3 AND v_news_rank MOD 10 >= 3
            THEN IF('lost' IN (v_word, p_status), 'contradicted', 'duplicate')
        WHEN v_news_rank > v_rank THEN 'done'
        ELSE 'duplicate' END;

    IF v_outcome = 'done' THEN
        IF NOT v_is_new THEN
            UPDATE payment_disputes
            SET amount = p_amount, phase = p_phase, status = p_status, gateway_status = p_status, told_at = p_told_at,
                reason = COALESCE(p_reason, reason), respond_by = COALESCE(p_respond_by, respond_by)
            WHERE id = v_id;
        END IF;
        CALL apply_payment_dispute(v_id, p_id, 'gateway', v_was_open AND NOT v_is_new, NULL);
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT IF(v_outcome = 'duplicate' AND v_id = p_id, 'done', v_outcome) AS outcome, -- our own commit, whose answer was lost
           JSON_OBJECT('dispute_id', LOWER(HEX(v_id))) AS result;
END
