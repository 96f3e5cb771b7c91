-- Requests for money: what somebody asks for by a link or a code, which the payer opens and confirms. Nothing is pushed to anybody.
--
-- Locks: idempotency record; payment request; then those of a payment.

-- `amount` is in minor units; NULL: the payer says how much, and may pay often until it ends. One with an amount is paid once.
CREATE TABLE IF NOT EXISTS payment_requests (
    id           BINARY(16)   NOT NULL,
    wallet_id    BINARY(16)   NOT NULL,
    amount       BIGINT       NULL,
    currency     CHAR(3)      CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    description  VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    created_at   DATETIME(6)  NOT NULL,
    expires_at   DATETIME(6)  NOT NULL,
    cancelled_at DATETIME(6)  NULL,
    CONSTRAINT payment_requests_pk PRIMARY KEY (id),
    CONSTRAINT payment_requests_wallet_exists FOREIGN KEY (wallet_id) REFERENCES wallets (id),
    CONSTRAINT payment_requests_amount_is_positive CHECK (amount > 0),
    CONSTRAINT payment_requests_end CHECK (expires_at <= created_at + INTERVAL 90 DAY),
    INDEX payment_requests_of_wallet (wallet_id, id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- What was paid on requests. `only_of` is the request if that has an amount: such a one is paid once, whatever a procedure does.
CREATE TABLE IF NOT EXISTS payment_request_payments (
    payment_request_id BINARY(16) NOT NULL,
    transaction_id     BINARY(16) NOT NULL,
    only_of            BINARY(16) NULL,
    CONSTRAINT payment_request_payments_pk PRIMARY KEY (payment_request_id, transaction_id),
    CONSTRAINT payment_request_payments_are_of_one UNIQUE (transaction_id),
    CONSTRAINT payment_request_payments_are_made_once UNIQUE (only_of),
    CONSTRAINT payment_request_payments_request_exists
        FOREIGN KEY (payment_request_id) REFERENCES payment_requests (id),
    CONSTRAINT payment_request_payments_transaction_exists FOREIGN KEY (transaction_id) REFERENCES transactions (id),
    CONSTRAINT payment_request_payments_only_is_its_own CHECK (only_of = payment_request_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

DROP TRIGGER IF EXISTS payment_requests_are_cancelled_once;
DELIMITER //
CREATE TRIGGER payment_requests_are_cancelled_once BEFORE UPDATE ON payment_requests FOR EACH ROW
BEGIN
    IF NOT (NEW.id = OLD.id AND NEW.wallet_id = OLD.wallet_id AND NEW.amount <=> OLD.amount AND NEW.currency = OLD.currency
            AND NEW.description <=> OLD.description AND NEW.created_at = OLD.created_at
            AND NEW.expires_at = OLD.expires_at AND OLD.cancelled_at IS NULL) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'what a payment request asks for does not change';
    END IF;
END//
DELIMITER ;

DROP TRIGGER IF EXISTS payment_requests_are_kept;
CREATE TRIGGER payment_requests_are_kept BEFORE DELETE ON payment_requests FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'payment requests are kept';

DROP TRIGGER IF EXISTS payment_request_payments_are_not_changed;
CREATE TRIGGER payment_request_payments_are_not_changed BEFORE UPDATE ON payment_request_payments FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'payments of requests only grow';

DROP TRIGGER IF EXISTS payment_request_payments_are_kept;
CREATE TRIGGER payment_request_payments_are_kept BEFORE DELETE ON payment_request_payments FOR EACH ROW
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'payments of requests only grow';

-- Requests as they stand, and who asks. What has been paid stays paid, however it would have ended. `is_known`: whoever was given
-- its id may still look: the name of who asks is not for ever. Without a subquery, or MySQL would read the whole of it each time.
DROP VIEW IF EXISTS payment_request_states;
CREATE VIEW payment_request_states AS
SELECT r.id, r.wallet_id, r.amount, r.currency, r.description, r.created_at, r.expires_at, w.user_id, u.name,
       IF(m.user_id IS NULL, 'personal', u.kind) AS kind,
       CASE WHEN p.only_of IS NOT NULL THEN 'paid'
            WHEN r.cancelled_at IS NOT NULL THEN 'cancelled'
            WHEN r.expires_at <= UTC_TIMESTAMP(6) THEN 'expired'
            ELSE 'open' END AS status,
       w.status <> 'closed'
           AND LEAST(r.expires_at, COALESCE(r.cancelled_at, r.expires_at)) > UTC_TIMESTAMP(6) - INTERVAL 30 DAY AS is_known
FROM payment_requests r
JOIN wallets w ON w.id = r.wallet_id
JOIN users u ON u.id = w.user_id
LEFT JOIN merchant_approvals m ON m.user_id = u.id
LEFT JOIN payment_request_payments p ON p.only_of = r.id;

-- Writes a request down, or finds it written down under its id. So many a day, or whoever signs up could fill the table.
DROP PROCEDURE IF EXISTS open_payment_request;
DELIMITER //
CREATE PROCEDURE open_payment_request(
    IN p_actor_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_payment_request_id BINARY(16),
    IN p_amount BIGINT,
    IN p_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_valid_seconds INT
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'done';
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_generation, v_allowed INT UNSIGNED DEFAULT NULL;
    DECLARE v_is_there BOOLEAN DEFAULT FALSE;
    DECLARE v_free_at DATETIME(6) DEFAULT NULL;
    DECLARE v_now DATETIME(6) DEFAULT UTC_TIMESTAMP(6);
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT id, status, session_generation INTO v_wallet_id, v_status, v_generation
    FROM wallets WHERE user_id = p_actor_id;
    SELECT EXISTS (SELECT 1 FROM payment_requests WHERE id = p_payment_request_id AND wallet_id = v_wallet_id)
    INTO v_is_there;
    IF v_is_there THEN
        SET v_outcome = 'done'; -- our own commit, whose answer was lost
    ELSEIF v_wallet_id IS NULL OR v_generation <> p_generation THEN
        SET v_outcome = 'invalid_token';
    ELSEIF v_status <> 'active' THEN
        SET v_outcome = 'wallet_frozen';
    ELSE
        CALL quota_of(p_actor_id, 100, 50000, v_allowed);
        CALL use_quota(p_actor_id, 'payment_requests', 1, v_allowed, 86400, v_free_at);
        IF v_free_at IS NULL THEN
            INSERT INTO payment_requests (id, wallet_id, amount, currency, description, created_at, expires_at)
            VALUES (p_payment_request_id, v_wallet_id, p_amount, 'INR', p_description, v_now,
                    v_now + INTERVAL p_valid_seconds SECOND);
        ELSE
            SET v_outcome = 'too_many_payment_requests';
            CALL tell_retry(v_free_at, v_result);
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        COMMIT;
    ELSE
        ROLLBACK;
    END IF;
    SELECT v_outcome AS outcome, v_result AS result;
END//
DELIMITER ;

-- Ends one's own request; one that is cancelled already is so again.
DROP PROCEDURE IF EXISTS cancel_payment_request;
DELIMITER //
CREATE PROCEDURE cancel_payment_request(
    IN p_actor_id BINARY(16),
    IN p_generation INT UNSIGNED,
    IN p_payment_request_id BINARY(16)
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT 'not_found';
    DECLARE v_locked BINARY(16) DEFAULT NULL;
    DECLARE v_status VARCHAR(9) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_generation INT UNSIGNED DEFAULT NULL;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT id INTO v_locked FROM payment_requests WHERE id = p_payment_request_id FOR UPDATE;
    SELECT s.status, w.session_generation INTO v_status, v_generation
    FROM payment_request_states s JOIN wallets w ON w.id = s.wallet_id
    WHERE s.id = p_payment_request_id AND s.user_id = p_actor_id;
    IF v_generation <> p_generation THEN
        SET v_outcome = 'invalid_token';
    ELSEIF v_status = 'open' THEN
        UPDATE payment_requests SET cancelled_at = UTC_TIMESTAMP(6) WHERE id = p_payment_request_id;
        SET v_outcome = 'done';
    ELSEIF v_status = 'cancelled' THEN
        SET v_outcome = 'done';
    ELSEIF v_status IS NOT NULL THEN
        SET v_outcome = 'payment_request_ended';
    END IF;
    COMMIT;
    SELECT v_outcome AS outcome, NULL AS result;
END//
DELIMITER ;

-- Pays what a request asks for, as `post_payment` pays a wallet. One with an amount is locked by its payer; who pays one without
-- keeps nobody waiting but who cancels it. What the request says it is for is the payment's description, unless the payer says
-- something else.
DROP PROCEDURE IF EXISTS pay_payment_request;
DELIMITER //
CREATE PROCEDURE pay_payment_request(
    IN p_actor_id BINARY(16),
    IN p_key VARBINARY(64),
    IN p_request_hash BINARY(32),
    IN p_generation INT UNSIGNED,
    IN p_transaction_id BINARY(16),
    IN p_payment_request_id BINARY(16),
    IN p_amount BIGINT,
    IN p_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    IN p_reference VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
MODIFIES SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_outcome VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL;
    DECLARE v_result TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_payee_wallet_id BINARY(16) DEFAULT NULL;
    DECLARE v_description VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL;
    DECLARE v_amount BIGINT DEFAULT NULL;
    DECLARE v_is_open BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    CALL claim_idempotency_key(p_actor_id, p_key, p_request_hash, v_outcome, v_result);
    IF v_outcome = 'claimed' THEN
        SELECT wallet_id, amount, description INTO v_payee_wallet_id, v_amount, v_description
        FROM payment_requests WHERE id = p_payment_request_id;
        IF v_amount IS NULL THEN
            SELECT cancelled_at IS NULL AND expires_at > UTC_TIMESTAMP(6) INTO v_is_open
            FROM payment_requests WHERE id = p_payment_request_id LOCK IN SHARE MODE;
        ELSE
            SELECT cancelled_at IS NULL AND expires_at > UTC_TIMESTAMP(6) INTO v_is_open
            FROM payment_requests WHERE id = p_payment_request_id FOR UPDATE;
            SELECT v_is_open AND NOT EXISTS (
                SELECT 1 FROM payment_request_payments WHERE only_of = p_payment_request_id) INTO v_is_open;
        END IF;
        IF v_payee_wallet_id IS NULL THEN
            SET v_outcome = 'not_found';
        ELSEIF NOT v_is_open THEN
            SET v_outcome = 'payment_request_ended';
        ELSEIF p_amount <> v_amount THEN
            SET v_outcome = 'amount_differs';
        ELSE
            CALL make_payment(p_actor_id, p_key, p_request_hash, p_generation, p_transaction_id, v_payee_wallet_id, NULL,
                              p_amount, COALESCE(p_description, v_description), p_reference, v_outcome, v_result);
        END IF;
    END IF;
    IF v_outcome = 'done' THEN
        INSERT INTO payment_request_payments (payment_request_id, transaction_id, only_of)
        VALUES (p_payment_request_id, p_transaction_id, IF(v_amount IS NULL, NULL, p_payment_request_id));
        UPDATE idempotency_records SET result = v_result WHERE actor_id = p_actor_id AND idem_key = p_key;
        COMMIT;
        SELECT v_outcome AS outcome, v_result AS result;
    ELSE
        ROLLBACK;
        CALL open_confirmation(p_actor_id, p_key, p_request_hash, p_transaction_id, 'payment', v_outcome, v_result);
        CALL answer_payer(p_actor_id, v_outcome, v_result);
    END IF;
END//
DELIMITER ;

-- A request: the maker's own, or one that whoever asks was given the id of. Whose it is else is not told.
DROP PROCEDURE IF EXISTS find_payment_request;
DELIMITER //
CREATE PROCEDURE find_payment_request(IN p_actor_id BINARY(16), IN p_payment_request_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT id, wallet_id, amount, currency, description, created_at, expires_at, name, kind, status,
           user_id = p_actor_id AS is_own
    FROM payment_request_states WHERE id = p_payment_request_id AND (is_known OR user_id = p_actor_id);
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- The newest payments of a request, for who asks. Who has paid one with an amount sees that it was them; of the many payments of
-- one without, their statement tells them.
DROP PROCEDURE IF EXISTS list_payment_request_payments;
DELIMITER //
CREATE PROCEDURE list_payment_request_payments(
    IN p_actor_id BINARY(16),
    IN p_payment_request_id BINARY(16),
    IN p_limit INT UNSIGNED
)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    DECLARE v_is_own BOOLEAN DEFAULT FALSE;

    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT EXISTS (SELECT 1 FROM payment_requests r JOIN wallets w ON w.id = r.wallet_id
                   WHERE r.id = p_payment_request_id AND w.user_id = p_actor_id) INTO v_is_own;
    SELECT STRAIGHT_JOIN t.id AS transaction_id, t.amount, t.created_at, payer.id AS payer_wallet_id, u.name AS payer_name
    FROM (
        (SELECT transaction_id FROM payment_request_payments
         WHERE v_is_own AND payment_request_id = p_payment_request_id ORDER BY transaction_id DESC LIMIT p_limit)
        UNION ALL
        (SELECT transaction_id FROM payment_request_payments WHERE NOT v_is_own AND only_of = p_payment_request_id)
    ) p
    JOIN transactions t ON t.id = p.transaction_id
    JOIN postings debit ON debit.transaction_id = t.id AND debit.side = 'debit'
    JOIN wallets payer ON payer.id = debit.account_id
    JOIN users u ON u.id = payer.user_id
    WHERE v_is_own OR u.id = p_actor_id
    ORDER BY p.transaction_id DESC LIMIT p_limit;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- One's own requests, as the other lists; no key is of a request.
DROP PROCEDURE IF EXISTS list_payment_requests;
DELIMITER //
CREATE PROCEDURE list_payment_requests(IN p_actor_id BINARY(16), IN p_before BINARY(16), IN p_limit INT UNSIGNED)
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT id, wallet_id, amount, currency, description, created_at, expires_at, name, kind, status, TRUE AS is_own
    FROM payment_request_states
    WHERE user_id = p_actor_id AND (p_before IS NULL OR id < p_before)
    ORDER BY id DESC LIMIT p_limit;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;
