"""The ways in which the kernel is broken, each with the tests that must notice.

`old` stands exactly once in its file, so that no mutant rots into one that changes nothing. Where two rules of the
kernel say the same (each good against another mistake), a mutant breaks both: breaking one of them changes nothing.
"""

# ruff: noqa: E501, S608, ISC004 - texts of the schema, to the letter
from dataclasses import dataclass

_TESTS = "tests/integration/"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """A text of a file in `schema/`, by the file's name without its folder and ending, and what stands there instead."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A kernel that is wrong in one way; every test of `tests` has to fail on it."""

    name: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]

    def changes_of(self, file: str) -> list[Change]:
        """Those of one file."""
        return [change for change in self.changes if change.file == file]


def _mutant(name: str, tests: str | tuple[str, ...], *changes: tuple[str, str, str]) -> Mutant:
    named = (tests,) if isinstance(tests, str) else tests
    return Mutant(
        name,
        tuple(Change(*change) for change in changes),
        tuple(f"{_TESTS}{test if '/' in test.partition('::')[0] else f'test_{test}'}" for test in named),
    )


def _dropped(constraint: str, file: str, old: str, new: str = "") -> Mutant:
    """A rule of a table that isn't there."""
    test = f"kernel_constraints.py::test_each_rule_of_the_tables_refuses_what_breaks_it[{constraint}]"
    return _mutant(f"{constraint} is dropped", test, (file, old, new))


def _payer_not_compared(name: str, test: str, *columns: str) -> Mutant:
    """Under the locks a payment doesn't see that these columns of its payer's have changed since they were read.

    Whatever leaves unconfirmed changes `unconfirmed_day` as well, and what is there is looked at by itself: for what else
    changes, a mutant breaks all three.
    """
    now, read = _PAYER_NOW, _PAYER_READ
    for column in columns:
        now, read = now.replace(column, "0"), read.replace(_AS_READ[column], "0")
    changes = [("make_payment", _PAYER_NOW, now), ("make_payment", _PAYER_READ, read)]
    if "unconfirmed_day" in columns:
        changes.append(("make_payment", "unconfirmed_on <=> v_unconfirmed_on AND ", ""))
        changes.append(("make_payment", " AND balance - held >= p_amount,", ","))
    return _mutant(name, f"kernel_locks.py::test_{test}", *changes)


def _trigger(name: str, file: str, old: str, statement: str) -> Mutant:
    test = f"rights.py::test_even_the_owner_can_not_change_the_past[{statement}]"
    return _mutant(f"the trigger {name} is dropped", test, (file, old, ""))


_ONLY_GROWS = " FOR EACH ROW\n    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the ledger only grows';"
_PAY_LOCK = "        FROM wallets FORCE INDEX (PRIMARY) WHERE id IN (p_payer_id, v_written_id) FOR UPDATE;\n"
_PAY_READ = "        SELECT MAX(last_entry_at) + INTERVAL 1 MICROSECOND,\n"
_PAYER_NOW = "                   (status, tier, entries, held_changes, session_generation, unconfirmed_day, slots)\n"
_PAYER_READ = "                   = (v_status, v_tier, v_entries, v_held_changes, v_generation, v_unconfirmed, 1)\n"
_AS_READ = {
    "status": "v_status",
    "tier": "v_tier",
    "entries": "v_entries",
    "held_changes": "v_held_changes",
    "session_generation": "v_generation",
    "unconfirmed_day": "v_unconfirmed",
}
_REFUNDED = (
    "        SELECT COALESCE(SUM(amount), 0) INTO v_refunded FROM transactions"
    " WHERE cause_id = p_payment_id AND type = 'refund';\n"
)
_KEY = (
    "        INSERT INTO idempotency_records (actor_id, idem_key, request_hash, made_id, created_at)\n"
    "        VALUES (p_actor_id, p_key, p_request_hash, p_transaction_id, UTC_TIMESTAMP(6));\n"
)
_NOT_PAID = (
    "        ROLLBACK;\n        CALL open_confirmation(p_actor_id, p_key, p_request_hash, p_transaction_id, 'payment',"
)
_FREE_SLOT = """                SELECT slot INTO v_free_slot FROM wallet_slots
                WHERE wallet_id = p_payee_id AND slot < v_spread ORDER BY slot LIMIT 1 FOR UPDATE SKIP LOCKED;
                IF v_free_slot IS NULL THEN
                    SELECT slot INTO v_free_slot FROM wallet_slots WHERE wallet_id = p_payee_id AND slot = v_slot FOR UPDATE;
                END IF;
"""
_FEE = "        CALL post_entry(v_fee_id, p_payee_id, p_slot, v_fees_id, p_fee, p_at + INTERVAL 1 MICROSECOND);\n"

CONFIRMATIONS = (
    _mutant(
        "a request for money is paid by everybody",
        (
            "payment_requests.py::test_what_is_asked_for_is_paid_once_with_what_it_is_for_and_its_id_as_reference",
            "payment_requests.py::test_of_many_who_pay_one_at_once_one_does",
        ),
        (
            "pay_payment_request",
            "            SELECT v_is_open AND NOT EXISTS (\n                SELECT 1 FROM payment_request_payments WHERE only_of = p_payment_request_id) INTO v_is_open;\n",
            "",
        ),
        ("pay_payment_request", "IF(v_amount IS NULL, NULL, p_payment_request_id));", "NULL);"),
    ),
    _mutant(
        "a request for money that has ended is paid",
        (
            "payment_requests.py::test_one_that_is_cancelled_is_paid_by_nobody_and_cancelled_again_is_no_fault",
            "payment_requests.py::test_one_that_is_over_is_expired_and_paid_by_nobody",
        ),
        (
            "pay_payment_request",
            "        ELSEIF NOT v_is_open THEN\n            SET v_outcome = 'payment_request_ended';\n",
            "",
        ),
    ),
    _mutant(
        "another amount than was asked for is paid",
        "payment_requests.py::test_another_amount_than_was_asked_for_is_refused",
        (
            "pay_payment_request",
            "        ELSEIF p_amount <> v_amount THEN\n            SET v_outcome = 'amount_differs';\n",
            "",
        ),
    ),
    _mutant(
        "anybody cancels a request for money",
        "payment_requests.py::test_only_its_maker_cancels_it_and_whoever_was_given_it_sees_what_is_asked_for",
        (
            "cancel_payment_request",
            "    WHERE s.id = p_payment_request_id AND s.user_id = p_actor_id;",
            "    WHERE s.id = p_payment_request_id;",
        ),
    ),
    _mutant(
        "a request for money is not locked by who cancels it",
        "payment_requests.py::test_who_cancels_behind_a_payment_that_they_waited_for_is_told_that_it_is_paid",
        (
            "cancel_payment_request",
            "    SELECT id INTO v_locked FROM payment_requests WHERE id = p_payment_request_id FOR UPDATE;\n",
            "",
        ),
    ),
    _mutant(
        "whom a confirmation is for is not compared",
        "confirmations/test_granting.py::test_a_phone_that_has_changed_hands_since_is_somebody_else",
        (
            "use_confirmation",
            "AND payee_wallet_id <=> p_payee_wallet_id AND vpa <=> p_vpa AND amount",
            "AND vpa <=> p_vpa AND amount",
        ),
    ),
    _mutant(
        "the amount of a confirmation is not compared",
        "confirmations/test_granting.py::test_another_request_finds_none[amount]",
        ("use_confirmation", "AND vpa <=> p_vpa AND amount = p_amount\n", "AND vpa <=> p_vpa\n"),
    ),
    _mutant(
        "what is confirmed outlives the session",
        "confirmations/test_granting.py::test_what_was_confirmed_ends_with_any_session",
        ("use_confirmation", " AND granted_in = p_generation AND used_for", " AND used_for"),
    ),
    _mutant(
        "a confirmation is good for ever",
        "confirmations/test_granting.py::test_it_is_good_for_fifteen_minutes_and_then_asked_for_anew",
        (
            "use_confirmation",
            "AND granted_until > UTC_TIMESTAMP(6) AND granted_in",
            "AND granted_until IS NOT NULL AND granted_in",
        ),
    ),
    _mutant(
        "what leaves unconfirmed is not counted",
        "confirmations/test_what_is_confirmed.py::test_small_payments_come_to_a_sum_that_wants_one",
        ("make_payment", "+ IF(v_is_confirmed, 0, p_amount), 9", ", 9"),
    ),
    _mutant(
        "a reset holds nothing up",
        "confirmations/test_waiting.py::test_behind_a_reset_what_needs_a_confirmation_waits_and_the_rest_does_not",
        ("use_confirmation", "        IF p_paused_until > UTC_TIMESTAMP(6) THEN", "        IF FALSE THEN"),
    ),
    _mutant(
        "a withdrawal to a new address is sent at once",
        "confirmations/test_waiting.py::test_the_first_withdrawal_to_a_vpa_waits_and_its_owner_is_told",
        (
            "claim_payout",
            "IF(v_status = 'active' AND NOT v_waits, 'done', 'paused');",
            "IF(v_status = 'active', 'done', 'paused');",
        ),
    ),
    _mutant(
        "guesses of a code are not counted",
        "confirmations/test_granting.py::test_a_hundred_guesses_at_once_are_five",
        ("confirm_by_code", "            UPDATE confirmations SET tries = v_tries WHERE id = p_confirmation_id;\n", ""),
    ),
)

LOCKS = (
    _mutant(
        "a payment locks no wallet",
        (
            "kernel_locks.py::test_who_waits_to_pay_sees_the_freeze_that_they_waited_for[payer]",
            "kernel_locks.py::test_who_waits_to_pay_sees_the_freeze_that_they_waited_for[payee]",
            "kernel_locks.py::test_two_who_waited_for_the_same_100_spend_it_once",
            "kernel_locks.py::test_two_who_waited_for_the_last_of_a_payees_cap_get_one_in",
        ),
        ("make_payment", _PAY_LOCK, _PAY_LOCK.replace(" FOR UPDATE", "")),
    ),
    _mutant(
        "the debit lock is dropped",
        "kernel_locks.py::test_two_who_waited_for_the_same_100_spend_it_once",
        (
            "make_payment",
            _PAY_LOCK,
            _PAY_LOCK.replace(" FOR UPDATE", "")
            + "        SELECT id INTO p_payee_id FROM wallets WHERE id = p_payee_id FOR UPDATE;\n",
        ),
    ),
    _mutant(
        "what a payment depends on is read before the lock",
        (
            "kernel_locks.py::test_who_waits_to_pay_sees_the_freeze_that_they_waited_for[payer]",
            "kernel_locks.py::test_two_who_waited_for_the_same_100_spend_it_once",
        ),
        (
            "make_payment",
            _PAY_LOCK,
            _PAY_LOCK.replace(" FOR UPDATE", "")
            + "        SELECT COUNT(*) INTO v_ended FROM wallets WHERE id IN (p_payer_id, p_payee_id) FOR UPDATE;\n"
            + "        SET v_ended = 0;\n",
        ),
    ),
    _mutant(
        "a payment is judged before the locks alone",
        (
            "kernel_locks.py::test_who_waits_to_pay_sees_the_freeze_that_they_waited_for[payer]",
            "kernel_locks.py::test_who_waits_to_pay_sees_the_freeze_that_they_waited_for[payee]",
            "kernel_locks.py::test_two_who_waited_for_the_same_100_spend_it_once",
            "kernel_locks.py::test_two_who_waited_for_the_last_of_a_payees_cap_get_one_in",
        ),
        ("make_payment", "        IF v_is_as_read AND DATE(", "        IF TRUE OR DATE("),
    ),
    _payer_not_compared(
        "a payer's freeze is seen before the locks alone",
        "who_waits_to_pay_sees_the_freeze_that_they_waited_for[payer]",
        "status",
    ),
    _payer_not_compared(
        "the balance alone is read before the debit lock",
        "two_who_waited_for_the_same_100_spend_it_once",
        "entries",
        "unconfirmed_day",
    ),
    _payer_not_compared(
        "the sums of a payer are asked for before the lock alone",
        "two_who_waited_for_the_last_of_a_payers_month_get_one_out[pay]",
        "entries",
        "unconfirmed_day",
    ),
    _payer_not_compared(
        "what is promised meanwhile is not seen",
        "who_waits_to_pay_can_not_spend_what_is_promised_meanwhile",
        "held_changes",
        "unconfirmed_day",
    ),
    _payer_not_compared(
        "the limits of the tier before the lock are those of the one behind it",
        "who_waits_to_pay_is_held_to_the_tier_that_they_waited_for[pay-personal-100]",
        "tier",
    ),
    _payer_not_compared(
        "the sums of who places a hold are asked for before the lock alone",
        "two_who_waited_for_the_last_of_a_payers_month_get_one_out[place]",
        "held_changes",
        "unconfirmed_day",
    ),
    _payer_not_compared(
        "a hold is placed by the limits of the tier before the lock",
        "who_waits_to_pay_is_held_to_the_tier_that_they_waited_for[place-personal-100]",
        "tier",
    ),
    _payer_not_compared(
        "who has signed out places holds as before",
        "who_waits_to_pay_is_out_with_the_session_that_ends_meanwhile[place]",
        "session_generation",
    ),
    _payer_not_compared(
        "who has signed out is found out before the lock alone",
        "who_waits_to_pay_is_out_with_the_session_that_ends_meanwhile[pay]",
        "session_generation",
    ),
    _payer_not_compared(
        "what has left unconfirmed meanwhile is not seen",
        "who_waits_to_pay_confirms_by_what_has_left_meanwhile_and_not_in_a_pause[unconfirmed_day = 60-REQUIRED]",
        "unconfirmed_day",
    ),
    _mutant(
        "a pause that began meanwhile is not seen",
        "kernel_locks.py::test_who_waits_to_pay_confirms_by_what_has_left_meanwhile_and_not_in_a_pause"
        "[paused_until = UTC_TIMESTAMP(6) + INTERVAL 1 HOUR-PAUSED]",
        ("make_payment", " AND paused_until <=> v_paused_until AND", " AND"),
    ),
    _mutant(
        "a payee's freeze is seen before the locks alone",
        "kernel_locks.py::test_who_waits_to_pay_sees_the_freeze_that_they_waited_for[payee]",
        ("make_payment", "        (status, tier) = (v_payee_status, v_payee_tier)\n", "        tier = v_payee_tier\n"),
    ),
    _mutant(
        "the caps of a payee's tier before the lock are those of the one behind it",
        "kernel_locks.py::test_who_waits_to_pay_somebody_is_held_to_the_payees_tier_that_they_waited_for",
        (
            "make_payment",
            "        (status, tier) = (v_payee_status, v_payee_tier)\n",
            "        status = v_payee_status\n",
        ),
    ),
    _mutant(
        "what a payee was paid meanwhile is not seen",
        "kernel_locks.py::test_two_who_waited_for_the_last_of_a_payees_cap_get_one_in",
        (
            "make_payment",
            "(entries = v_payee_entries OR COALESCE(v_max_balance, v_max_load_month, v_max_load_year) IS NULL)",
            "TRUE",
        ),
    ),
    _mutant(
        "a merchant whose balance is capped meanwhile is paid into a slot",
        "kernel_locks.py::test_who_waits_for_a_slot_of_a_merchant_who_is_capped_meanwhile_pays_into_the_wallet_itself",
        ("make_payment", "(v_max_balance IS NOT NULL OR v_payee_kind <> 'merchant')", "v_payee_kind <> 'merchant'"),
    ),
    _mutant(
        "what a merchant is paid who is a person to the limits by then goes into a slot, and is not counted",
        "kernel_locks.py::test_who_waits_for_a_slot_of_a_merchant_who_becomes_a_person_to_the_limits_loads_the_wallet_itself",
        ("make_payment", "(v_max_balance IS NOT NULL OR v_payee_kind <> 'merchant')", "v_max_balance IS NOT NULL"),
    ),
    _mutant(
        "what is held is what was held before the lock",
        "kernel_locks.py::test_who_waits_to_pay_ends_the_hold_that_was_placed_and_has_lapsed_meanwhile",
        ("make_payment", "MAX(IF(id = p_payer_id, held, 0))", "v_own - v_available"),
    ),
    _mutant(
        "a payment has the time at which its wait began",
        "kernel_locks.py::test_who_waits_to_pay_does_so_at_the_time_at_which_the_wait_is_over",
        ("make_payment", "        SET p_at = GREATEST(p_at, UTC_TIMESTAMP(6)); --", "        DO 0; --"),
        ("make_payment", _PAY_READ, _PAY_READ.replace("MAX", "GREATEST(UTC_TIMESTAMP(6), MAX").replace(",\n", "),\n")),
    ),
    _mutant(
        "the lock of a credited slot is dropped",
        "kernel_locks.py::test_who_waits_for_a_slot_of_a_hot_wallet_sees_the_freeze_that_they_waited_for[payment]",
        (
            "make_payment",
            "            IF v_slot > 0 THEN\n" + _FREE_SLOT,
            "            IF v_slot > 0 THEN\n                SET v_free_slot = v_slot;\n",
        ),
        (
            "make_payment",
            "            IF p_payee_id > p_payer_id THEN\n" + _FREE_SLOT,
            "            IF p_payee_id > p_payer_id THEN\n                SET v_free_slot = v_slot;\n",
        ),
    ),
    _mutant(
        "the lock of a slot that a capture credits is dropped",
        "kernel_locks.py::test_who_waits_for_a_slot_of_a_hot_wallet_sees_the_freeze_that_they_waited_for[capture]",
        (
            "capture_hold",
            "        IF v_slot > 0 AND v_payee_id < v_payer_id THEN\n",
            "        SET v_free_slot = v_slot;\n        IF FALSE THEN\n",
        ),
        ("capture_hold", "        IF v_slot > 0 AND v_payee_id > v_payer_id THEN\n", "        IF FALSE THEN\n"),
    ),
    _mutant(
        "who pays a hot wallet waits for a slot although others are free",
        "kernel_slots.py::test_what_a_hot_wallet_is_paid_goes_to_its_first_free_slot_and_is_shown_as_one_balance",
        (
            "make_payment",
            "            IF v_slot > 0 THEN\n" + _FREE_SLOT,
            "            IF v_slot > 0 THEN\n" + _FREE_SLOT.replace(" SKIP LOCKED", ""),
        ),
        (
            "make_payment",
            "            IF p_payee_id > p_payer_id THEN\n" + _FREE_SLOT,
            "            IF p_payee_id > p_payer_id THEN\n" + _FREE_SLOT.replace(" SKIP LOCKED", ""),
        ),
    ),
    _mutant(
        "who settles goes by a tier that was read before the lock",
        "kernel_locks.py::test_who_waits_to_settle_goes_by_the_tier_that_was_given_meanwhile",
        ("settle_gateway_payment", "            IF v_locked_tier <> v_tier THEN", "            IF FALSE THEN"),
    ),
    _mutant(
        "the lock of a gathered slot is dropped",
        "kernel_locks.py::test_a_gather_comes_after_whatever_its_slot_took_meanwhile",
        (
            "lock_payer_with_usage",
            "WHERE wallet_id = p_wallet_id AND slot = v_slot FOR UPDATE;",
            "WHERE wallet_id = p_wallet_id AND slot = v_slot;",
        ),
    ),
    _mutant(
        "a payment locks the payer first, whoever has the lower id",
        "kernel_locks.py::test_wallets_are_locked_in_the_order_of_their_ids[payment-False]",
        (
            "make_payment",
            _PAY_READ,
            "        SELECT id INTO p_payer_id FROM wallets WHERE id = p_payer_id FOR UPDATE;\n" + _PAY_READ,
        ),
    ),
    _mutant(
        "a payment locks wallets in the reverse order",
        (
            "kernel_locks.py::test_wallets_are_locked_in_the_order_of_their_ids[payment-True]",
            "kernel_locks.py::test_wallets_are_locked_in_the_order_of_their_ids[payment-False]",
        ),
        (
            "make_payment",
            _PAY_READ,
            "        SELECT COUNT(*) INTO v_ended FROM wallets WHERE id = GREATEST(p_payer_id, p_payee_id) FOR UPDATE;\n"
            "        SET v_ended = 0;\n" + _PAY_READ,
        ),
    ),
    _mutant(
        "a capture locks the payee first, whoever has the lower id",
        "kernel_locks.py::test_wallets_are_locked_in_the_order_of_their_ids[capture-True]",
        (
            "capture_hold",
            "        -- What is held is in the payer's own row",
            "        SELECT id INTO v_payee_id FROM wallets WHERE id = v_payee_id FOR UPDATE;\n"
            "        -- What is held is in the payer's own row",
        ),
    ),
    _mutant(
        "a refund locks its payee first, whoever has the lower id",
        "kernel_locks.py::test_wallets_are_locked_in_the_order_of_their_ids[refund-True]",
        (
            "refund_payment",
            "        locking: LOOP\n",
            "        SELECT id INTO v_payee_id FROM wallets WHERE id = v_payee_id FOR UPDATE;\n        locking: LOOP\n",
        ),
    ),
    _mutant(
        "a hold that is let go is locked without its payer's wallet",
        "kernel_locks.py::test_a_payers_wallet_is_locked_before_the_hold[release]",
        (
            "release_hold",
            "        SELECT id INTO v_payer_id FROM wallets WHERE id = v_payer_id FOR UPDATE;\n        SELECT status, expires_at INTO v_status",
            "        SELECT status, expires_at INTO v_status",
        ),
    ),
    _mutant(
        "who captures does not lock the payer's wallet",
        "kernel_locks.py::test_a_capture_that_waited_behind_a_release_finds_no_hold",
        (
            "capture_hold",
            "WHERE id IN (v_payer_id, IF(v_slot = 0, v_payee_id, v_payer_id)) FOR UPDATE;",
            "WHERE id IN (v_payer_id, IF(v_slot = 0, v_payee_id, v_payer_id));",
        ),
    ),
    _mutant(
        "what was refunded is summed before the lock",
        "kernel_locks.py::test_two_refunds_that_waited_for_one_payment_give_it_back_once[READ COMMITTED]",
        ("refund_payment", _REFUNDED, ""),
        (
            "refund_payment",
            "        IF v_slots > 1 THEN\n            -- what",
            _REFUNDED + "        IF v_slots > 1 THEN\n            -- what",
        ),
    ),
    _mutant(
        "a refund reads in whatever isolation its session has",
        "kernel_locks.py::test_two_refunds_that_waited_for_one_payment_give_it_back_once[REPEATABLE READ]",
        (
            "refund_payment",
            "    DECLARE v_last, v_payer_last, v_at DATETIME(6) DEFAULT NULL;\n"
            "    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;\n\n"
            "    SET TRANSACTION ISOLATION LEVEL READ COMMITTED;\n",
            "    DECLARE v_last, v_payer_last, v_at DATETIME(6) DEFAULT NULL;\n"
            "    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;\n\n",
        ),
    ),
    _mutant(
        "the lock of a settled attempt is dropped",
        (
            "kernel_locks.py::test_two_payments_that_waited_for_one_order_credit_it_once",
            "kernel_locks.py::test_an_attempt_is_locked_before_its_wallet",
        ),
        (
            "settle_gateway_payment",
            "gateway_order_id = p_order_id FOR UPDATE;",
            "gateway_order_id = p_order_id;",
        ),
    ),
    _mutant(
        "the lock of an attempt that is asked about is dropped",
        "kernel_locks.py::test_of_two_who_waited_to_ask_about_one_attempt_one_asks",
        (
            "claim_check",
            "    FROM payment_attempts WHERE id = p_attempt_id FOR UPDATE;",
            "    FROM payment_attempts WHERE id = p_attempt_id;",
        ),
    ),
    _mutant(
        "the lock of a settled withdrawal is dropped",
        "kernel_locks.py::test_news_that_waited_twice_for_one_withdrawal_is_booked_once",
        (
            "settle_withdrawal",
            "    INTO v_status, v_payout_id, v_agrees\n    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;",
            "    INTO v_status, v_payout_id, v_agrees\n    FROM withdrawals WHERE id = p_withdrawal_id;",
        ),
    ),
    _mutant(
        "the lock of a withdrawal that is asked about is dropped",
        "kernel_locks.py::test_of_two_who_waited_to_ask_about_one_withdrawal_one_asks",
        (
            "claim_withdrawal_check",
            "v_asked, v_wallet_id, v_waits_until\n    FROM withdrawals WHERE id = p_withdrawal_id FOR UPDATE;",
            "v_asked, v_wallet_id, v_waits_until\n    FROM withdrawals WHERE id = p_withdrawal_id;",
        ),
    ),
    _mutant(
        "the lock of a wallet whose withdrawal is sent is dropped",
        "unsent_withdrawals.py::test_who_waits_to_ask_sees_the_freeze_that_they_waited_for[claimed]",
        (
            "claim_payout",
            "INTO v_status, v_waits\n        FROM wallets WHERE id = v_wallet_id FOR UPDATE;",
            "INTO v_status, v_waits\n        FROM wallets WHERE id = v_wallet_id;",
        ),
    ),
    _mutant(
        "the lock of money in suspense that goes back is dropped",
        "kernel_locks.py::test_two_who_waited_to_send_money_of_nobody_back_send_it_once",
        (
            "open_source_refund",
            "            SELECT id INTO v_locked FROM transactions WHERE id = p_transaction_id FOR UPDATE;",
            "            SELECT id INTO v_locked FROM transactions WHERE id = p_transaction_id;",
        ),
    ),
)

COMMITS = (
    _mutant(
        "a payment's key commits before the money",
        "kernel_atomicity.py::test_a_movement_that_fails_at_any_of_its_writes_has_moved_nothing_and_is_done_when_asked_again"
        "[payment-INSERT ON transactions]",
        ("post_payment", _KEY + "    END;\n", _KEY + "    END;\n    COMMIT;\n    START TRANSACTION;\n"),
    ),
    _mutant(
        "a refund's key commits before the money",
        "kernel_atomicity.py::test_a_movement_that_fails_at_any_of_its_writes_has_moved_nothing_and_is_done_when_asked_again"
        "[refund-INSERT ON transactions]",
        ("refund_payment", _KEY + "    END;\n", _KEY + "    END;\n    COMMIT;\n    START TRANSACTION;\n"),
    ),
    _mutant(
        "a top-up commits before its attempt is called succeeded",
        "kernel_atomicity.py::test_a_movement_that_fails_at_any_of_its_writes_has_moved_nothing_and_is_done_when_asked_again"
        "[top-up-UPDATE ON payment_attempts]",
        (
            "settle_gateway_payment",
            "            -- asked about once more",
            "            COMMIT;\n            -- asked about once more",
        ),
    ),
    _mutant(
        "a refused payment is committed",
        (
            "kernel_payments.py::test_16_at_once_with_one_key_and_no_money_are_all_refused_and_leave_the_key_free",
            "kernel_atomicity.py::test_a_refusal_lets_go_of_its_locks_although_its_session_stays",
        ),
        ("post_payment", _NOT_PAID, _NOT_PAID.replace("ROLLBACK", "COMMIT")),
    ),
    _mutant(
        "a refused payment is left open",
        "kernel_atomicity.py::test_a_refusal_lets_go_of_its_locks_although_its_session_stays",
        ("post_payment", _NOT_PAID, _NOT_PAID.replace("ROLLBACK", "DO 0")),
    ),
    _mutant(
        "a payment that fails is not rolled back",
        "kernel_atomicity.py::test_a_call_that_fails_lets_go_of_its_locks_although_its_session_stays",
        ("post_payment", "FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;", "FOR SQLEXCEPTION BEGIN RESIGNAL; END;"),
    ),
)

KEYS = (
    _mutant(
        "a key is any caller's",
        "kernel_payments.py::test_the_same_key_of_another_caller_is_another_key",
        (
            "0009_ledger",
            "idempotency_records_pk PRIMARY KEY (actor_id, idem_key)",
            "idempotency_records_pk PRIMARY KEY (idem_key)",
        ),
        (
            "find_what_a_key_made",
            "    FROM idempotency_records WHERE actor_id = p_actor_id AND idem_key = p_key;",
            "    FROM idempotency_records WHERE idem_key = p_key;",
        ),
    ),
    _mutant(
        "a key is unique no longer",
        (
            "kernel_payments.py::test_16_at_once_with_one_key_move_money_once_and_get_one_answer",
            "kernel_payments.py::test_a_repetition_gets_the_first_answer_however_much_has_happened_since",
        ),
        (
            "0009_ledger",
            "CONSTRAINT idempotency_records_pk PRIMARY KEY (actor_id, idem_key)",
            "INDEX idempotency_records_pk (actor_id, idem_key)",
        ),
    ),
    _mutant(
        "a key answers whatever is asked under it",
        "kernel_payments.py::test_a_key_with_another_request_is_refused_and_nothing_moves",
        ("find_what_a_key_made", "WHEN v_request_hash <> p_request_hash THEN", "WHEN FALSE THEN"),
    ),
    _mutant(
        "a payment's key is not kept",
        "kernel_payments.py::test_a_repetition_gets_the_first_answer_however_much_has_happened_since",
        ("post_payment", _KEY, _KEY.replace("VALUES (p_actor_id,", "VALUES (p_transaction_id,")),
    ),
    _mutant(
        "a gateway payment is known by its order, not by its id",
        "kernel_settlement.py::test_the_second_of_two_payments_of_one_order_goes_to_suspense",
        (
            "settle_gateway_payment",
            "    LEFT JOIN gateway_payments g ON g.gateway = p_gateway AND g.gateway_payment_id = p_payment_id\n",
            "    LEFT JOIN gateway_payments g ON g.attempt_id = v_attempt_id\n",
        ),
    ),
    _mutant(
        "a gateway payment is looked for nowhere, and its key is dropped",
        (
            "kernel_settlement.py::test_a_captured_payment_is_credited_once_however_often_it_is_told",
            "kernel_settlement.py::test_20_tellings_at_once_of_a_payment_for_an_unknown_order_book_it_once_in_suspense",
        ),
        (
            "0009_ledger",
            "    CONSTRAINT gateway_payments_pk PRIMARY KEY (gateway, gateway_payment_id),\n",
            "",
        ),
        (
            "settle_gateway_payment",
            "    IF v_known_id IS NOT NULL THEN\n        -- the same",
            "    IF FALSE THEN\n        -- the same",
        ),
    ),
    _dropped(
        "gateway_payments_pk",
        "0009_ledger",
        "    CONSTRAINT gateway_payments_pk PRIMARY KEY (gateway, gateway_payment_id),\n",
    ),
    _dropped(
        "withdrawal_bookings_pk",
        "0009_ledger",
        "CONSTRAINT withdrawal_bookings_pk PRIMARY KEY (withdrawal_id, type)",
        "INDEX withdrawal_bookings_of_one (withdrawal_id, type)",
    ),
    _dropped(
        "postings_entries_are_numbered_once",
        "0009_ledger",
        "CONSTRAINT postings_entries_are_numbered_once UNIQUE (account_id, slot, entry_no)",
        "INDEX postings_entries_are_numbered_once (account_id, slot, entry_no)",
    ),
    _dropped(
        "withdrawals_payout_is_unique",
        "0007_withdrawals",
        "    CONSTRAINT withdrawals_payout_is_unique UNIQUE (provider, provider_payout_id),\n",
    ),
    _dropped(
        "payment_attempts_order_is_unique",
        "0006_top_ups",
        "    CONSTRAINT payment_attempts_order_is_unique UNIQUE (gateway, gateway_order_id),\n",
    ),
    _dropped(
        "gateway_events_are_stored_once",
        "0006_top_ups",
        "    CONSTRAINT gateway_events_are_stored_once UNIQUE (gateway, digest),\n",
    ),
)

CHECKS = (
    _mutant(
        "an entry may overdraw",
        "rights.py::test_even_the_owner_can_not_make_a_balance_negative",
        ("0003_wallets", "    CONSTRAINT wallets_balance_is_never_negative CHECK (balance >= 0),\n", ""),
        ("0003_wallets", "CHECK (held BETWEEN 0 AND balance)", "CHECK (held >= 0)"),
    ),
    _dropped("wallets_held_is_covered", "0003_wallets", "CHECK (held BETWEEN 0 AND balance)", "CHECK (held >= 0)"),
    _dropped(
        "wallet_slots_balance_is_never_negative",
        "0003_wallets",
        ",\n    CONSTRAINT wallet_slots_balance_is_never_negative CHECK (balance >= 0)\n",
        "\n",
    ),
    _dropped(
        "holds_capture_is_covered",
        "0004_holds",
        "    CONSTRAINT holds_capture_is_covered CHECK (captured BETWEEN 0 AND amount),\n",
    ),
    _dropped("holds_amount_is_positive", "0004_holds", "    CONSTRAINT holds_amount_is_positive CHECK (amount > 0),\n"),
    _dropped(
        "transactions_amount_is_positive",
        "0009_ledger",
        "    CONSTRAINT transactions_amount_is_positive CHECK (amount > 0),\n",
    ),
    _dropped(
        "postings_amount_is_positive", "0009_ledger", "    CONSTRAINT postings_amount_is_positive CHECK (amount > 0),\n"
    ),
    _dropped(
        "postings_balance_is_never_negative",
        "0009_ledger",
        "    CONSTRAINT postings_balance_is_never_negative CHECK (balance_after >= 0),\n",
    ),
    _dropped(
        "withdrawals_amount_is_positive",
        "0007_withdrawals",
        "    CONSTRAINT withdrawals_amount_is_positive CHECK (amount > 0 AND fee >= 0),\n",
    ),
    _dropped(
        "payment_attempts_amount_is_positive",
        "0006_top_ups",
        "    CONSTRAINT payment_attempts_amount_is_positive CHECK (amount > 0),\n",
    ),
)

PRIVATE = (
    _mutant(
        "a frozen payee is told of",
        "payees.py::test_whatever_keeps_a_payee_from_being_paid_has_one_answer",
        (
            "make_payment",
            "            ELSEIF v_payee_status <> 'active' THEN\n                SET p_outcome = 'payee_unavailable';\n",
            "            ELSEIF v_payee_status <> 'active' THEN\n                SET p_outcome = 'wallet_frozen';\n",
        ),
    ),
    _mutant(
        "what was booked for a loss is free as soon as the gateway takes its word back",
        "payment_disputes.py::test_closing_sends_nothing_back_that_is_booked_for_a_loss",
        (
            "disputed_money",
            "GREATEST(IF(status IN ('won', 'closed'), 0, amount), from_wallet + from_suspense + from_losses)",
            "IF(status IN ('won', 'closed'), 0, amount)",
        ),
    ),
    _mutant(
        "unclaimed money is given whatever the owner's bank has taken back",
        (
            "closing.py::test_what_the_owners_bank_has_taken_back_or_asks_for_is_not_given[open]",
            "closing.py::test_what_the_owners_bank_has_taken_back_or_asks_for_is_not_given[lost]",
        ),
        ("credit_from_unclaimed", "SELECT LEAST(rest, v_kept - v_lost) INTO v_left", "SELECT rest INTO v_left"),
    ),
    _mutant(
        "a limit that is added is no payment's",
        "rules_in_force.py::test_a_rule_that_is_added_or_changed_is_the_next_payments[a limit added]",
        (
            "0005_confirmations",
            "AFTER INSERT ON tier_limits FOR EACH ROW\n    UPDATE rules_in_force SET valid_until = '1970-01-01' WHERE tier = NEW.tier;",
            "AFTER INSERT ON tier_limits FOR EACH ROW\n    DO 0;",
        ),
    ),
    _mutant(
        "rules are written down though somebody is about to add one",
        "rules_in_force.py::test_who_pays_while_a_rule_is_added_is_judged_by_it_if_they_had_to_ask_for_the_rules",
        (
            "renew_rules",
            "    FROM rules_in_force WHERE tier = p_tier FOR UPDATE;\n",
            "    FROM rules_in_force WHERE tier = p_tier;\n",
        ),
    ),
    _mutant(
        "a tier without limits in force has none",
        "kernel_limits.py::test_in_a_tier_whose_limits_are_not_in_force_yet_nothing_moves",
        (
            "make_payment",
            "        IF v_tier_to_renew IS NOT NULL THEN\n",
            "        IF FALSE THEN\n",
        ),
    ),
    _mutant(
        "who looks for a payee is asked for their own freeze behind that",
        "payees.py::test_who_is_refused_for_their_own_sake_is_told_that_whoever_the_payee_is",
        (
            "make_payment",
            "        ELSEIF v_status <> 'active' THEN\n            SET p_outcome = 'wallet_frozen';\n        ELSEIF p_amount > v_available THEN",
            "        ELSEIF FALSE THEN",
        ),
    ),
    _mutant(
        "a payee who is nobody is told before one's own reasons",
        "payees.py::test_who_is_refused_for_their_own_sake_is_told_that_whoever_the_payee_is",
        ("make_payment", "        ELSEIF p_amount > v_available THEN", "        ELSEIF FALSE THEN"),
    ),
    _mutant(
        "who may not pay people learns who there is",
        "payees.py::test_a_payee_who_is_told_to_nobody_is_nobody_to_who_may_pay_merchants_only",
        (
            "make_payment",
            "            ELSEIF NOT v_person_to_person AND v_payee_kind = 'personal' THEN",
            "            ELSEIF NOT v_person_to_person AND p_payee_id IS NOT NULL AND v_payee_kind = 'personal' THEN",
        ),
    ),
    _mutant(
        "what is told of payees is not counted",
        (
            "payees.py::test_after_so_many_payees_who_can_not_be_paid_none_is_looked_for_until_the_hour_is_over",
            "payees.py::test_of_many_at_once_on_as_many_connections_as_many_are_told_as_may_be",
        ),
        (
            "use_quota",
            "        used = IF(window_ends_at <= v_now, p_units, used + p_units),",
            "        used = p_units,",
        ),
    ),
    _mutant(
        "a file's rows are not counted",
        "payees.py::test_the_rows_of_a_file_count_like_payments_and_behind_the_last_nobody_is_looked_for",
        (
            "pay_bulk_row",
            "                CALL count_failed_lookup(v_actor_id, v_outcome, v_result);",
            "                SET v_result = NULL;",
        ),
    ),
    _mutant(
        "who is looked up is not counted for an address",
        "looking_payees_up.py::test_an_address_is_told_of_so_many_whoever_asks_and_one_caller_uses_up_no_more_than_their_own",
        (
            "look_up_payee",
            "    CALL use_quota(p_address_hash, 'lookups_of_address', 1, p_per_address, 3600, v_free_at);\n",
            "",
        ),
    ),
    _mutant(
        "who has used up a quota uses up the others by asking on",
        (
            "looking_payees_up.py::test_a_caller_is_told_of_so_many_in_an_hour_and_in_a_day_found_or_not",
            "looking_payees_up.py::test_an_address_is_told_of_so_many_whoever_asks_and_one_caller_uses_up_no_more_than_their_own",
        ),
        ("look_up_payee", "        ROLLBACK;\n        CALL tell_retry", "        COMMIT;\n        CALL tell_retry"),
    ),
    _mutant(
        "a closed wallet is found",
        "looking_payees_up.py::test_whoever_has_a_wallet_is_found_whatever_it_is_but_closed",
        ("look_up_payee", "WHERE u.phone = p_phone AND w.status <> 'closed';", "WHERE u.phone = p_phone;"),
        ("look_up_payee", "WHERE w.id = p_wallet_id AND w.status <> 'closed';", "WHERE w.id = p_wallet_id;"),
    ),
    _mutant(
        "who pays by phone is told of names without end",
        "looking_payees_up.py::test_who_pays_and_promises_by_phone_is_told_of_so_many_in_an_hour_and_by_wallet_of_as_many_as_they_know",
        (
            "make_payment",
            "            IF p_payee_phone IS NOT NULL AND v_debits >= 100 AND",
            "            IF FALSE AND",
        ),
    ),
    _mutant(
        "a payer has files under way without end",
        (
            "bulk.py::test_a_payer_has_five_files_under_way_however_many_are_sent_at_once",
            "bulk.py::test_a_retry_takes_a_place_among_the_five_unless_its_file_has_one",
        ),
        ("check_bulk_quota", "    IF v_free_at IS NULL AND v_running >= 5 THEN", "    IF FALSE THEN"),
    ),
    _mutant(
        "the rows of files have no number",
        "bulk.py::test_a_payer_has_so_many_rows_a_day_taken_in_or_tried_again",
        ("check_bulk_quota", "'bulk_rows', GREATEST(p_rows, 1),", "'bulk_rows', 0,"),
    ),
    _mutant(
        "out of money for a row is out of money for all",
        "bulk.py::test_rows_that_are_covered_are_paid_behind_those_that_are_not",
        ("refuse_other_rows", " AND status = 'waiting' AND amount > v_most\n", " AND status = 'waiting'\n"),
    ),
    _mutant(
        "a payer's freeze is told to the payee of a hold",
        "payees.py::test_whatever_a_payers_wallet_is_its_payee_hears_one_thing_of_a_hold",
        (
            "capture_hold",
            " OR v_payer_status <> 'active'\n            OR COALESCE(v_paused_until > UTC_TIMESTAMP(6), FALSE) THEN",
            " THEN",
        ),
        (
            "capture_hold",
            "        ELSEIF v_payee_status <> 'active' THEN\n",
            "        ELSEIF v_payer_status <> 'active' OR v_payee_status <> 'active' THEN\n",
        ),
    ),
)

RULES = (
    _mutant(
        "who ends a session leaves its tokens as good as they were",
        "identity/test_sessions.py::test_whoever_asks_in_a_session_that_has_ended_gets_nothing_done",
        (
            "end_sessions",
            "SET session_generation = session_generation + 1 WHERE",
            "SET session_generation = session_generation WHERE",
        ),
    ),
    _mutant(
        "a refresh token is good as often as it is shown",
        "identity/test_sessions.py::test_a_refresh_token_that_was_copied_ends_the_session[its successor used]",
        ("renew_session", "    IF v_is_open AND v_used_at IS NULL THEN", "    IF v_is_open THEN"),
    ),
    _mutant(
        "a payment needs no money",
        "kernel_locks.py::test_two_who_waited_for_the_same_100_spend_it_once",
        (
            "make_payment",
            "        ELSEIF p_amount > v_available THEN\n            SET p_outcome",
            "        ELSEIF FALSE THEN\n            SET p_outcome",
        ),
    ),
    _mutant(
        "what is held may be spent",
        "kernel_payments.py::test_money_that_is_held_can_not_be_spent",
        ("make_payment", "w.held, w.balance - w.held, w.entries", "w.held, w.balance, w.entries"),
    ),
    _mutant(
        "a payment may be refunded again and again",
        (
            "kernel_refunds.py::test_what_has_been_refunded_is_not_refunded_again",
            "kernel_locks.py::test_two_refunds_that_waited_for_one_payment_give_it_back_once[READ COMMITTED]",
        ),
        (
            "refund_payment",
            "            WHEN v_amount > v_paid - v_refunded OR v_amount <= 0 THEN 'refund_exceeds_payment'\n",
            "",
        ),
    ),
    _mutant(
        "a withdrawal that was sent may be cancelled",
        "unsent_withdrawals.py::test_what_was_sent_or_has_ended_is_not_cancelled_and_the_key_is_not_used_up[claimed]",
        (
            "cancel_unsent_withdrawal",
            "    SELECT wallet_id, vpa, status = 'pending' AND NOT asked AND provider_payout_id IS NULL,\n",
            "    SELECT wallet_id, vpa, status = 'pending' AND provider_payout_id IS NULL,\n",
        ),
    ),
    _mutant(
        "a wallet is read in the transaction of whoever reads it",
        "reach.py::test_who_reads_keeps_no_payment_waiting_whatever_they_do_to_their_session[spite5]",
        (
            "find_wallet",
            "    COMMIT AND NO CHAIN NO RELEASE;\n    SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY;\n"
            "    START TRANSACTION;\n    SELECT w.id, u.kind,",
            "    SELECT w.id, u.kind,",
        ),
        (
            "find_wallet",
            "    WHERE w.user_id = p_user_id;\n    COMMIT AND NO CHAIN NO RELEASE;\n",
            "    WHERE w.user_id = p_user_id;\n",
        ),
    ),
    _mutant(
        "what a slot had is read by a SET, which locks it",
        "reach.py::test_no_payment_keeps_who_reads_waiting",
        (
            "find_slot_balances",
            "        SELECT (\n            SELECT CONCAT('[',",
            "        SET v_posting = (\n            SELECT CONCAT('[',",
        ),
        ("find_slot_balances", "DESC LIMIT 1)\n        INTO v_posting;", "DESC LIMIT 1);"),
    ),
    _mutant(
        "anybody refunds a payment",
        "kernel_refunds.py::test_only_its_payee_refunds_a_payment",
        (
            "refund_payment",
            "t.type IN ('payment', 'hold_capture') AND payee.user_id = p_actor_id;",
            "t.type IN ('payment', 'hold_capture');",
        ),
    ),
    _mutant(
        "more is captured than was held",
        "kernel_holds.py::test_parts_are_captured_until_the_rest_is_let_go",
        ("capture_hold", "        ELSEIF v_amount > v_promised - v_captured THEN", "        ELSEIF FALSE THEN"),
    ),
    _mutant(
        "a hold that has lapsed is captured",
        "kernel_holds.py::test_a_hold_ends_at_its_very_moment_although_nobody_has_swept",
        (
            "capture_hold",
            " OR v_expires_at <= UTC_TIMESTAMP(6) OR v_payer_status",
            " OR v_payer_status",
        ),
    ),
    _mutant(
        "what a lapsed hold held stays held until the sweep",
        "kernel_holds.py::test_what_an_unswept_hold_held_can_be_spent_and_the_spending_ends_it",
        ("make_payment", "        IF p_held > 0 AND v_slots = 1 THEN\n", "        IF FALSE THEN\n"),
    ),
    _mutant(
        "payments are not counted for the limits",
        "kernel_limits.py::test_of_payments_at_the_edge_of_a_period_exactly_as_many_as_fit_are_made",
        (
            "make_payment",
            "debited_month = IF(usage_month = v_month, debited_month, 0) + IF(id = p_payer_id, p_amount, 0),\n",
            "debited_month = IF(usage_month = v_month, debited_month, 0),\n",
        ),
        (
            "make_payment",
            "debited_day = IF(usage_day = v_day, debited_day, 0) + IF(id = p_payer_id, p_amount, 0),\n",
            "debited_day = IF(usage_day = v_day, debited_day, 0),\n",
        ),
    ),
    _mutant(
        "top-ups are not counted for the limits",
        "kernel_limits.py::test_of_two_top_ups_at_the_edge_of_a_cap_one_is_credited_and_one_waits_in_suspense_with_its_reason",
        (
            "settle_gateway_payment",
            "loaded_month, 0) + v_amount,\n                loaded_year = IF(usage_year = v_year, loaded_year, 0) + v_amount,",
            "loaded_month, 0),\n                loaded_year = IF(usage_year = v_year, loaded_year, 0),",
        ),
    ),
    _mutant(
        "another amount than was asked for is credited",
        "kernel_settlement.py::test_money_that_is_not_what_was_asked_for_goes_to_suspense",
        ("settle_gateway_payment", "            WHEN v_amount <> v_asked THEN 'amount_mismatch'\n", ""),
    ),
    _mutant(
        "money is booked on an event that does not name its payment, or on nothing",
        "kernel_evidence.py::test_nothing_is_booked_without_evidence_that_names_the_payment",
        (
            "settle_gateway_payment",
            "        IF COALESCE(v_names, FALSE) = FALSE THEN\n            SIGNAL",
            "        IF FALSE THEN\n            SIGNAL",
        ),
    ),
    _mutant(
        "money is booked on an event of another gateway",
        "kernel_evidence.py::test_nothing_is_booked_without_evidence_that_names_the_payment",
        ("settle_gateway_payment", "ON e.id = p_event_id AND e.gateway = p_gateway\n", "ON e.id = p_event_id\n"),
    ),
    _mutant(
        "an id of any time is taken",
        (
            "kernel_evidence.py::test_an_id_is_of_this_moment_give_or_take_a_quarter_of_an_hour[902-False]",
            "kernel_evidence.py::test_an_id_is_of_this_moment_give_or_take_a_quarter_of_an_hour[-902-False]",
        ),
        ("settle_gateway_payment", "AS SIGNED)) > 900 THEN", "AS SIGNED)) > 90000 THEN"),
    ),
    _mutant(
        "the last release's procedure believes whoever calls it",
        "kernel_evidence.py::test_the_last_releases_procedure_books_nothing_that_no_stored_event_tells_of",
        ("settle_payment", "    IF v_known_id IS NULL AND COALESCE(v_names, FALSE) = FALSE THEN", "    IF FALSE THEN"),
    ),
    _mutant(
        "any surcharge explains what was paid beside what was asked for",
        "kernel_settlement.py::test_more_or_less_than_was_asked_for_is_in_suspense_whole_when_the_surcharge_does_not_explain_it",
        ("settle_gateway_payment", " AND p_paid - p_surcharge = v_asked,", ","),
    ),
    _mutant(
        "limits count what the payer paid beside what was asked for",
        "kernel_settlement.py::test_limits_count_what_was_asked_for_and_not_what_the_payer_paid_beside_it",
        (
            "settle_gateway_payment",
            "            WHEN v_amount > v_max_balance - v_own - v_in_slots THEN",
            "            WHEN p_paid > v_max_balance - v_own - v_in_slots THEN",
        ),
    ),
    _mutant(
        "the reason of a suspense is lost",
        "kernel_settlement.py::test_money_that_is_not_what_was_asked_for_goes_to_suspense",
        (
            "settle_gateway_payment",
            "p_transaction_id, v_attempt_id, v_reason, p_event_id, p_answer,",
            "p_transaction_id, v_attempt_id, NULL, p_event_id, p_answer,",
        ),
    ),
    _mutant(
        "a capture is of no hold",
        "kernel_holds.py::test_parts_are_captured_until_the_rest_is_let_go",
        (
            "capture_hold",
            "        INSERT INTO hold_captures (transaction_id, hold_id) VALUES (p_transaction_id, p_hold_id);\n",
            "",
        ),
    ),
    _mutant(
        "what comes back from a bank is of no withdrawal",
        "withdrawals_kernel.py::test_a_withdrawal_that_comes_back_is_in_the_wallet_again_with_its_fee",
        (
            "take_withdrawal_back",
            "    INSERT INTO withdrawal_bookings (withdrawal_id, type, transaction_id)\n"
            "    VALUES (p_withdrawal_id, 'withdrawal_return', p_transaction_id);\n",
            "",
        ),
    ),
    _mutant(
        "what went back to its source is of no refund",
        "kernel_source_refunds.py::test_a_refund_is_set_aside_first_and_leaves_the_wallet_when_the_gateway_has_paid",
        (
            "settle_source_refund",
            "            INSERT INTO source_refund_bookings (source_refund_id, transaction_id) VALUES (p_refund_id, p_transaction_id);\n",
            "",
        ),
    ),
    _mutant(
        "a fee is posted twice",
        "kernel_fees.py::test_two_percent_of_what_a_merchant_is_paid_rounded_half_up",
        (
            "charge_payee",
            _FEE,
            _FEE
            + "        CALL derive_id(p_cause_id, 'again', v_fee_id);\n"
            + "        INSERT INTO transactions (id, type, amount, currency, cause_id, created_at)\n"
            + "        VALUES (v_fee_id, 'fee', p_fee, 'INR', p_cause_id, p_at + INTERVAL 2 MICROSECOND);\n"
            + _FEE.replace("INTERVAL 1", "INTERVAL 2"),
        ),
    ),
    _mutant(
        "a payment tells of nothing",
        "events.py::test_an_event_is_written_with_what_it_tells_of_or_not_at_all",
        (
            "make_payment",
            "            INSERT INTO outbox (wallet_id, other_wallet_id, type, transaction_id, created_at)\n"
            "            VALUES (p_payer_id, p_payee_id, 'PaymentCompleted', p_transaction_id, p_at);\n",
            "",
        ),
    ),
    _mutant(
        "a passkey's signature becomes a proof as often as it is shown",
        "passkeys/test_passkey_proofs.py::test_of_sixteen_who_show_one_signature_at_once_one_has_a_proof",
        ("prove_by_passkey", "IF(v_known_hash = p_proof_hash, 'done', 'invalid_code'), v_wait", "'done', v_wait"),
    ),
    _mutant(
        "a passkey alone resets a password",
        "passkeys/test_passkey_proofs.py::test_a_passkey_alone_resets_nothing",
        ("prove_by_passkey", "IF(p_purpose = 'reset_password', 'passkey_reset', p_purpose)", "p_purpose"),
    ),
    _mutant(
        "somebody else's passkey stands beside a code",
        "passkeys/test_passkey_proofs.py::test_beside_a_code_no_other_proof_counts_as_a_passkeys",
        (
            "reset_password",
            "SET v_phone = IF(v_passkeys_phone = v_phone, v_phone, NULL);",
            "SET v_phone = IF(v_passkeys_phone IS NULL, NULL, v_phone);",
        ),
    ),
    _mutant(
        "a passkey has as many proofs as it wants",
        "passkeys/test_passkey_proofs.py::test_a_passkey_has_so_many_proofs_a_day_as_each_is_good_for_guesses",
        ("prove_by_passkey", "    ELSEIF v_wait IS NOT NULL THEN\n        SET v_outcome = 'too_many_attempts';\n", ""),
    ),
    _mutant(
        "one line of a payment is written",
        "kernel_payments.py::test_a_payment_moves_its_amount_and_nothing_else",
        (
            "make_payment",
            "v_entries + 1, v_own - p_amount, p_at),\n"
            "                   (p_transaction_id, 2, p_payee_id, v_slot, 'payment', 'credit', p_amount, v_payee_entries + 1,\n"
            "                    v_payee_own + p_amount, p_at);\n",
            "v_entries + 1, v_own - p_amount, p_at);\n",
        ),
    ),
    _mutant(
        "one line of an entry is written",
        "kernel_slots.py::test_what_leaves_is_gathered_first_and_nobody_sees_that",
        (
            "post_entry",
            "(p_debit_slot = 0 OR s.slot = p_debit_slot)\n"
            "    UNION ALL\n"
            "    SELECT t.id, 2, a.id, 0, t.type, 'credit', p_amount, w.entries, w.balance, p_at\n"
            "    FROM transactions t JOIN accounts a LEFT JOIN wallets w ON w.id = a.id\n"
            "    WHERE t.id = p_transaction_id AND a.id = p_credit_account_id;\n"
            "    IF ROW_COUNT() <> 2 THEN",
            "(p_debit_slot = 0 OR s.slot = p_debit_slot);\n    IF ROW_COUNT() <> 1 THEN",
        ),
    ),
    _mutant(
        "time stands still",
        "kernel_payments.py::test_the_time_of_a_wallets_entries_never_runs_backwards",
        ("make_payment", _PAY_READ, "        SELECT UTC_TIMESTAMP(6),\n"),
    ),
    _mutant(
        "what the bank sends back comes without its fee",
        "withdrawals_kernel.py::test_a_withdrawal_that_comes_back_is_in_the_wallet_again_with_its_fee",
        (
            "take_withdrawal_back",
            "        CALL post_entry(v_fee_id, v_fees_id, 0, v_wallet_id, v_fee, v_now);",
            "        CALL post_entry(v_fee_id, v_fees_id, 0, v_payout_account_id, v_fee, v_now);",
        ),
    ),
    _mutant(
        "a payout of another amount is booked",
        "withdrawals_kernel.py::test_news_that_does_not_agree_with_what_was_asked_for_moves_nothing",
        (
            "settle_withdrawal",
            "           provider = p_provider AND amount = p_amount AND currency = p_currency",
            "           provider = p_provider AND currency = p_currency",
        ),
    ),
    _mutant(
        "more goes back to a source than came from it",
        (
            "kernel_source_refunds.py::test_refunds_of_a_top_up_never_add_up_to_more_than_it",
            "kernel_source_refunds.py::test_20_refunds_at_once_never_exceed_what_came",
        ),
        ("open_source_refund", "            WHEN v_left <= 0 OR p_opened > v_left THEN 'refund_exceeds_payment'\n", ""),
    ),
)

GUARDS = (
    _trigger(
        "postings_are_kept",
        "0009_ledger",
        "CREATE TRIGGER postings_are_kept BEFORE DELETE ON postings" + _ONLY_GROWS,
        "DELETE FROM postings",
    ),
    _trigger(
        "postings_are_not_changed",
        "0009_ledger",
        "CREATE TRIGGER postings_are_not_changed BEFORE UPDATE ON postings" + _ONLY_GROWS,
        "UPDATE postings SET amount = amount",
    ),
    _trigger(
        "transactions_are_not_changed",
        "0009_ledger",
        "CREATE TRIGGER transactions_are_not_changed BEFORE UPDATE ON transactions" + _ONLY_GROWS,
        "UPDATE transactions SET amount = amount",
    ),
    _trigger(
        "idempotency_records_are_kept",
        "0009_ledger",
        "CREATE TRIGGER idempotency_records_are_kept BEFORE DELETE ON idempotency_records FOR EACH ROW\n"
        "    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'an idempotency record is kept as long as the ledger';",
        "DELETE FROM idempotency_records",
    ),
    _mutant(
        "an attempt may move back",
        "kernel_settlement.py::test_an_attempt_never_moves_back_not_even_for_the_schemas_owner",
        (
            "0006_top_ups",
            "    IF FIELD(NEW.status, 'created', 'pending', 'failed', 'expired', 'succeeded', 'refunded')\n        <",
            "    IF FALSE AND FIELD(NEW.status, 'created', 'pending', 'failed', 'expired', 'succeeded', 'refunded')\n        <",
        ),
    ),
    _mutant(
        "the paying functions may write postings",
        (
            "rights.py::test_no_function_can_write_the_books_or_read_secrets[INSERT INTO postings (transaction_id) VALUES ('')-money]",
            "rights.py::test_no_role_is_granted_anything_but_select_and_execute",
        ),
        (
            "roles",
            '        "SELECT (transaction_id, side, account_id) ON postings",\n        *_ATTEMPTS',
            '        "SELECT, INSERT ON postings",\n        *_ATTEMPTS',
        ),
    ),
    _mutant(
        "the paying functions may call the kernel's parts",
        "rights.py::test_no_function_can_write_the_books_or_read_secrets[CALL post_entry('', '', '', 1, UTC_TIMESTAMP(6))-money]",
        ("roles", '            "post_payment",\n', '            "post_payment",\n            "post_entry",\n'),
    ),
    _mutant(
        "the functions of the gateway may pay",
        "rights.py::test_who_settles_pays_nothing_and_who_pays_settles_nothing",
        ("roles", '            "settle_payment",\n', '            "settle_payment",\n            "post_payment",\n'),
    ),
)

MUTANTS = CONFIRMATIONS + LOCKS + COMMITS + KEYS + CHECKS + PRIVATE + RULES + GUARDS
