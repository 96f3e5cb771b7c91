-- Reads that lock nothing, for the database user that withdrawals are asked for by, and for whoever asks for a key.
--
-- Who may SELECT from a table may lock its rows: with LOCK IN SHARE MODE, on MariaDB FOR UPDATE, and with a plain SELECT in
-- a SERIALIZABLE transaction. Within these a caller's own transaction has ended, whatever it was, and nothing is locked.

-- Whether something was done under a key.
DROP PROCEDURE IF EXISTS find_idempotency_key;
DELIMITER //
CREATE PROCEDURE find_idempotency_key(IN p_actor_id BINARY(16), IN p_key VARBINARY(64))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT created_at FROM idempotency_records WHERE actor_id = p_actor_id AND idem_key = p_key;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;

-- A withdrawal of the actor's own.
DROP PROCEDURE IF EXISTS find_withdrawal;
DELIMITER //
CREATE PROCEDURE find_withdrawal(IN p_withdrawal_id BINARY(16), IN p_actor_id BINARY(16))
READS SQL DATA
SQL SECURITY DEFINER
BEGIN
    COMMIT AND NO CHAIN NO RELEASE;
    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;
    START TRANSACTION;
    SELECT d.id, d.status, d.amount, d.fee, d.currency, d.vpa, d.reason, d.created_at
    FROM withdrawals d JOIN wallets w ON w.id = d.wallet_id
    WHERE d.id = p_withdrawal_id AND w.user_id = p_actor_id;
    COMMIT AND NO CHAIN NO RELEASE;
END//
DELIMITER ;
