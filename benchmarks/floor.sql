-- What a payment costs at the least in this database: two locks, one check, five rows and a commit, in one call. No key, no
-- limits, no names, no events: nobody's wallet, but what ours is measured against, in the same run.
CREATE TABLE floor_wallets (
    id      BINARY(16) NOT NULL PRIMARY KEY,
    balance BIGINT     NOT NULL CHECK (balance >= 0)
) ENGINE = InnoDB;

CREATE TABLE floor_transactions (
    id         BINARY(16)  NOT NULL PRIMARY KEY,
    amount     BIGINT      NOT NULL,
    created_at DATETIME(6) NOT NULL
) ENGINE = InnoDB;

CREATE TABLE floor_postings (
    transaction_id BINARY(16) NOT NULL,
    line           TINYINT    NOT NULL,
    wallet_id      BINARY(16) NOT NULL,
    amount         BIGINT     NOT NULL,
    PRIMARY KEY (transaction_id, line)
) ENGINE = InnoDB;

DELIMITER //
CREATE PROCEDURE floor_pay(
    IN p_transaction_id BINARY(16), IN p_payer_id BINARY(16), IN p_payee_id BINARY(16), IN p_amount BIGINT)
BEGIN
    DECLARE v_first, v_second BIGINT;
    START TRANSACTION;
    SELECT balance INTO v_first FROM floor_wallets WHERE id = LEAST(p_payer_id, p_payee_id) FOR UPDATE;
    SELECT balance INTO v_second FROM floor_wallets WHERE id = GREATEST(p_payer_id, p_payee_id) FOR UPDATE;
    IF p_amount > IF(p_payer_id < p_payee_id, v_first, v_second) THEN
        ROLLBACK;
    ELSE
        UPDATE floor_wallets SET balance = balance + IF(id = p_payer_id, -p_amount, p_amount)
        WHERE id IN (p_payer_id, p_payee_id);
        INSERT INTO floor_transactions (id, amount, created_at) VALUES (p_transaction_id, p_amount, UTC_TIMESTAMP(6));
        INSERT INTO floor_postings (transaction_id, line, wallet_id, amount)
        VALUES (p_transaction_id, 1, p_payer_id, -p_amount), (p_transaction_id, 2, p_payee_id, p_amount);
        COMMIT;
    END IF;
    SELECT 'done' AS outcome, NULL AS result;
END//
DELIMITER ;
