-- Fills books with payments, and with top-ups that webhooks have settled, for a benchmark of books that have grown. It is
-- the kernel's own procedures that do it, one commit each as ever, but called inside the server: there is no round trip.
CREATE TABLE filling_people (
    no        INT UNSIGNED NOT NULL PRIMARY KEY,
    user_id   BINARY(16)   NOT NULL,
    wallet_id BINARY(16)   NOT NULL
) ENGINE = InnoDB;

-- An id as ours are: a UUIDv7 of this moment.
CREATE FUNCTION filling_id() RETURNS BINARY(16) NOT DETERMINISTIC NO SQL
RETURN UNHEX(CONCAT(LPAD(HEX(CAST(UNIX_TIMESTAMP(NOW(3)) * 1000 AS UNSIGNED)), 12, '0'), '7',
                    LEFT(HEX(RANDOM_BYTES(2)), 3), '8', LEFT(HEX(RANDOM_BYTES(8)), 15)));

-- 14 letters and digits, as the gateway's ids have behind their prefix, in no order: that is the hardest for an index.
CREATE FUNCTION filling_word() RETURNS CHAR(14) CHARACTER SET ascii COLLATE ascii_bin NOT DETERMINISTIC NO SQL
RETURN REPLACE(REPLACE(LEFT(TO_BASE64(RANDOM_BYTES(12)), 14), '+', 'x'), '/', 'y');

DELIMITER //
-- So many payments among `p_people` people, those from number `p_first` on. It answers what each payment answers.
CREATE PROCEDURE fill_payments(IN p_first INT, IN p_people INT, IN p_count INT)
BEGIN
    DECLARE v_left INT DEFAULT p_count;
    DECLARE v_payer, v_payee INT;
    DECLARE v_id, v_payer_user_id, v_payee_wallet_id BINARY(16);

    WHILE v_left > 0 DO
        SET v_left = v_left - 1;
        SET v_id = filling_id();
        SET v_payer = FLOOR(RAND() * p_people);
        SET v_payee = (v_payer + 1 + FLOOR(RAND() * (p_people - 1))) % p_people;
        SELECT user_id INTO v_payer_user_id FROM filling_people WHERE no = p_first + v_payer;
        SELECT wallet_id INTO v_payee_wallet_id FROM filling_people WHERE no = p_first + v_payee;
        CALL post_payment(v_payer_user_id, LOWER(HEX(v_id)), UNHEX(REPEAT('00', 32)), 0, v_id, v_payee_wallet_id, NULL,
                          1, NULL, NULL);
    END WHILE;
END//

-- So many top-ups of these people in turn: what opens one, then what the webhook's function calls when its event comes.
-- `p_event` is an event's body with words in place of its ids; where it is NULL they are opened only. It answers what
-- each call answers: those that attach an order tell of it.
CREATE PROCEDURE fill_top_ups(
    IN p_first INT,
    IN p_people INT,
    IN p_count INT,
    IN p_amount BIGINT,
    IN p_event MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin
)
BEGIN
    DECLARE v_left INT DEFAULT p_count;
    DECLARE v_attempt_id, v_event_id, v_user_id BINARY(16);
    DECLARE v_order, v_payment, v_rrn VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin;
    DECLARE v_body MEDIUMTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

    WHILE v_left > 0 DO
        SET v_left = v_left - 1;
        SET v_attempt_id = filling_id();
        SET v_order = CONCAT('order_', filling_word());
        SELECT user_id INTO v_user_id FROM filling_people WHERE no = p_first + v_left % p_people;
        CALL open_top_up(v_user_id, LOWER(HEX(v_attempt_id)), UNHEX(REPEAT('00', 32)), 0, v_attempt_id, 'razorpay',
                         p_amount, 3600, 60);
        CALL attach_order(v_attempt_id, v_order, NULL, NULL);
        IF p_event IS NOT NULL THEN
            SET v_event_id = filling_id();
            SET v_payment = CONCAT('pay_', filling_word());
            SET v_rrn = LPAD(FLOOR(RAND() * 1e12), 12, '0');
            SET v_body = REPLACE(p_event, 'THE_ORDER', v_order);
            SET v_body = REPLACE(REPLACE(v_body, 'THE_PAYMENT', v_payment), 'THE_RRN', v_rrn);
            CALL store_gateway_event(v_event_id, 'razorpay', UNHEX(SHA2(v_body, 256)), filling_word(),
                                     'payment.captured', v_body);
            CALL record_bank_reference('payment', 'razorpay', v_payment, v_rrn);
            CALL settle_gateway_payment(filling_id(), 'razorpay', v_payment, v_order, p_amount, 0, 'INR', 0,
                                        v_event_id, NULL);
            CALL finish_gateway_event(v_event_id, 'processed');
        END IF;
    END WHILE;
END//
DELIMITER ;
