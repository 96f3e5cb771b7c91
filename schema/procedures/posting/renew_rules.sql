-- Writes down anew what is in force for a tier now, and until when, if that has lapsed or a rule was added: a commit of its own, as
-- nobody is to wait for it behind a payment, nor it behind a wallet. Who adds a rule holds the row that is locked here until their
-- commit, and marks it behind ours if they come second.
CREATE PROCEDURE renew_rules(IN p_tier VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin)
MODIFIES SQL DATA
BEGIN
    DECLARE v_is_in_force BOOLEAN DEFAULT FALSE;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;

    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
    START TRANSACTION;
    SELECT valid_from <= UTC_TIMESTAMP(6) AND valid_until > UTC_TIMESTAMP(6) INTO v_is_in_force
    FROM rules_in_force WHERE tier = p_tier FOR UPDATE;
    IF NOT v_is_in_force THEN
        REPLACE INTO rules_in_force
            (tier, valid_from, valid_until, for_merchants, max_balance, max_payment, max_load_month, max_load_year,
             max_debit_day, max_debit_month, person_to_person, confirm_above, confirm_day_above, confirm_new_payee_above,
             payees_are_charged)
        SELECT tier, valid_from, valid_until, for_merchants, max_balance, max_payment, max_load_month, max_load_year,
               max_debit_day, max_debit_month, person_to_person, confirm_above, confirm_day_above, confirm_new_payee_above,
               payees_are_charged
        FROM current_rules WHERE tier = p_tier;
        IF ROW_COUNT() = 0 THEN
            SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a tier needs limits that are in force';
        END IF;
    END IF;
    COMMIT;
END
