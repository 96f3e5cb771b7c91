"""What each database user of the functions may do: SELECT what it shows, EXECUTE what it does, and nothing else.

No user here has INSERT, UPDATE, DELETE or DDL on anything. The procedures run with their owner's rights, so a bug or an
intruder in a function can ask for a payment that the kernel allows, and can't write one that it doesn't.
The passwords' hashes are readable to one user alone.
"""

_USER_COLUMNS = "id, phone, name, kind, created_at"
#: `former_phone` is the one that an account had whose phone has a next owner, or was taken by operators.
_KNOWN_USER_COLUMNS = f"{_USER_COLUMNS}, former_phone"
# what the gateway said of a payment names its payer
_ARRIVED_COLUMNS = "gateway, gateway_payment_id, transaction_id, attempt_id, suspense_reason, created_at"

_STORED_VALUE = (
    "SELECT ON tiers",
    "SELECT ON tier_limits",
    "SELECT ON wallets",
    "SELECT ON wallet_slots",
    "SELECT ON holds",
    "SELECT ON held_changes",
    "SELECT ON withdrawals",
    "SELECT ON accounts",
    "SELECT ON transactions",
    "SELECT ON hold_captures",
    "SELECT ON withdrawal_bookings",
    "SELECT ON source_refund_bookings",
    "SELECT ON postings",
)
_BOOKS = (f"SELECT ({_KNOWN_USER_COLUMNS}) ON users", *_STORED_VALUE)
# what an operator has found out about people
_APPROVED = ("SELECT (user_id, approved_at) ON merchant_approvals",)
_KNOWN_PEOPLE = (*_APPROVED, "SELECT ON proved_phones")
_ATTEMPTS = ("SELECT ON payment_attempts", "SELECT ON payment_attempt_events")

_CHAIN = ("SELECT ON seals", "SELECT ON checkpoints", "SELECT ON ledger_identity")


def _execute(*procedures: str) -> tuple[str, ...]:
    return tuple(f"EXECUTE ON PROCEDURE {procedure}" for procedure in procedures)


GRANTS: dict[str, tuple[str, ...]] = {
    # register, login, session, sessions, phone_proofs, passkey_proofs, password_resets, me, own_freeze
    "identity": (
        f"SELECT ({_USER_COLUMNS}, email, password_hash) ON users",
        "SELECT (user_id, tier) ON wallets",
        "SELECT (id, user_id, device, seed, created_at, last_used_at, idle_ends_at, ends_at, ended_at) ON sessions",
        "SELECT (token_hash, session_id) ON session_tokens",
        "SELECT (id, user_id) ON passkeys",
        *_execute(
            "find_idempotency_key",
            "ask_for_code",
            "forget_code",
            "show_code",
            "find_passkey",
            "prove_by_passkey",
            "register_user",
            "count_sign_in",
            "count_hashing",
            "forgive_sign_in",
            "note_failed_sign_in",
            "start_session",
            "renew_session",
            "end_session_of_token",
            "end_own_sessions",
            "change_password",
            "reset_password",
            "rehash_password",
            "freeze_own_wallet",
            "unfreeze_own_wallet",
            "change_own_name",
            "change_own_phone",
        ),
    ),
    # pay, refund, hold, capture, top_up, bulk, bulk_worker: nothing here leaves the wallets that we keep
    "money": (
        "SELECT (id, name) ON users",
        "SELECT (id, user_id) ON wallets",  # whose it is, not what is in it
        "SELECT ON holds",
        "SELECT ON transactions",
        "SELECT ON hold_captures",
        "SELECT (transaction_id, side, account_id) ON postings",
        *_ATTEMPTS,
        "SELECT ON bank_references",
        "SELECT (bulk_payment_id, line, status) ON bulk_payment_rows",
        *_execute(
            "find_idempotency_key",
            "open_bulk_payment",
            "retry_bulk_payment",
            "claim_bulk_payment",
            "continue_bulk_payment",
            "pay_bulk_row",
            "post_payment",
            "pay_payment_request",
            "refund_payment",
            "place_hold",
            "capture_hold",
            "release_hold",
            "open_top_up",
            "attach_order",
            "refuse_attempt",
        ),
    ),
    # withdraw: what leaves us for good, and nothing else. It reads by procedures alone, so it can lock no row
    "withdrawals": _execute(
        "find_idempotency_key",
        "find_withdrawal",
        "request_withdrawal",
        "claim_payout",
        "cancel_withdrawal",
        "note_agreeing_payout",
        "reject_withdrawal",
    ),
    # webhook, reconcile
    "gateway": (
        *_ATTEMPTS,
        "SELECT ON gateway_events",
        "SELECT ON source_refunds",
        "SELECT (id, type, amount, currency, created_at) ON transactions",
        f"SELECT ({_ARRIVED_COLUMNS}, surcharge) ON gateway_payments",
        "SELECT ON money_in_suspense",
        "SELECT ON reconciliation_walks",
        "SELECT ON reconciliation_breaks",
        "SELECT ON settlement_lines",
        "SELECT ON payment_disputes",
        "SELECT (id, checks, next_check_at) ON withdrawals",
        *_execute(
            "record_bank_reference",
            "record_payment_dispute",
            "attach_payment_dispute",
            "note_foreign_refund",
            "settle_source_refund",
            "claim_refund_check",
            "release_refund_check",
            "note_agreeing_payout",
            "hear_dispute",
            "note_break",
            "clear_break",
            "tidy_breaks",
            "advance_walk",
            "keep_settlement_lines",
            "settle_withdrawal",
            "reject_withdrawal",
            "claim_withdrawal_check",
            "release_withdrawal_check",
            "attach_order",
            "settle_gateway_payment",
            "settle_payment",
            "note_unsuccessful_payment",
            "store_gateway_event",
            "finish_gateway_event",
            "claim_check",
            "release_check",
            "expire_attempt",
            "sweep_identity",
            "sweep_quotas",
        ),
    ),
    # balance, lists, preview, bulk_results, proof, statement, notify: it reads by procedures alone, so it locks no row
    "reader": _execute(
        "find_wallet",
        "find_held_at",
        "find_wallet_owner",
        "list_slots",
        "find_slot_balances",
        "list_entries",
        "find_entry",
        "list_top_ups",
        "list_holds",
        "find_payments",
        "list_withdrawals",
        "find_bulk_payment",
        "list_bulk_rows",
        "find_recipient",
        "find_former_phone",
        "find_seal",
        "find_checkpoint",
        "list_seals",
        "find_sealed_transaction",
        "list_sealed_postings",
        "preview_debit",
    ),
    # payees, payment_requests: it learns what a procedure counts, or what an id was handed on for, and reads no table
    "directory": _execute(
        "look_up_payee",
        "open_payment_request",
        "cancel_payment_request",
        "find_payment_request",
        "list_payment_request_payments",
        "list_payment_requests",
    ),
    # confirmations, passkeys: it grants what the commit of the money then looks for, moves none, and reads no table
    "confirmations": _execute(
        "ask_for_confirmation_code",
        "forget_confirmation_code",
        "confirm_by_code",
        "find_confirmation",
        "confirm_by_passkey",
        "find_passkey_owner",
        "list_passkeys",
        "add_passkey",
        "remove_passkey",
    ),
    # operator
    "operator": (
        *_BOOKS,
        *_KNOWN_PEOPLE,
        *_ATTEMPTS,
        f"SELECT ({_ARRIVED_COLUMNS}) ON gateway_payments",
        "SELECT ON source_refunds",
        "SELECT ON operator_actions",
        "SELECT ON operator_requests",
        "SELECT ON former_phones",
        "SELECT ON former_names",
        "SELECT ON unsent_withdrawals",
        "SELECT ON disputed_money",
        "SELECT ON money_in_suspense",
        "SELECT ON unclaimed_money",
        "SELECT ON reconciliation_breaks",
        "SELECT ON payment_disputes",
        "SELECT ON payment_dispute_events",
        "SELECT (id, gateway, name, received_at, outcome) ON gateway_events",  # their bodies name payers
        *_execute(
            "ask_operator",
            "cancel_operator_request",
            "move_phone",
            "set_tier",
            "freeze_wallet",
            "unfreeze_wallet",
            "end_sessions_of_owner",
            "set_slots",
            "refund_to_source",
            "credit_from_suspense",
            "resolve_break",
            "resolve_payment_dispute",
            "end_dispute",
            "cancel_withdrawal_for_owner",
            "close_wallet",
            "approve_merchant",
            "revoke_merchant",
            "set_phone_proved",
            "write_off_wallet",
            "credit_from_unclaimed",
        ),
    ),
    # what runs by itself on a schedule: expire_holds, relay
    "clock": (
        "SELECT ON holds",
        "SELECT ON outbox",
        "SELECT (id, type, amount, currency, description, reference, cause_id) ON transactions",
        "SELECT ON hold_captures",
        "SELECT (transaction_id, gateway, attempt_id, suspense_reason) ON gateway_payments",
        "SELECT (id, user_id) ON wallets",
        "SELECT (id, kind) ON users",
        "SELECT ON own_freezes",
        *_execute("expire_hold", "end_own_freeze", "claim_relay", "mark_events_delivered", "sweep_events"),
    ),
    # sealer
    "sealer": (
        "SELECT ON transactions",
        f"SELECT ({_ARRIVED_COLUMNS}) ON gateway_payments",
        "SELECT ON hold_captures",
        "SELECT ON withdrawal_bookings",
        "SELECT ON source_refund_bookings",
        "SELECT ON postings",
        "SELECT (id, code, kind) ON accounts",
        "SELECT ON unsealed",
        *_CHAIN,
        # the first as long as the code of a release may call it
        *_execute("append_checkpoint", "append_sealed", "note_checkpoint_published"),
    ),
    # audit
    "auditor": (
        "SELECT (id, phone, former_phone, kind) ON users",
        *_STORED_VALUE,
        *_ATTEMPTS,
        *_CHAIN,
        # their bodies and answers name payers
        "SELECT (id, gateway, received_at) ON gateway_events",
        f"SELECT ({_ARRIVED_COLUMNS}, event_id, answer_digest) ON gateway_payments",
        "SELECT ON unsealed",
        "SELECT ON idempotency_records",
        "SELECT ON operator_actions",
        "SELECT ON former_phones",
        "SELECT ON source_refunds",
        "SELECT ON payment_disputes",
        "SELECT ON payment_dispute_events",
        "SELECT ON payment_dispute_bookings",
        "SELECT ON outbox",
        "SELECT ON bulk_payments",
        "SELECT ON bulk_payment_rows",
        "SELECT ON bulk_payment_retries",
        "SELECT ON rules_in_force",
        "SELECT ON current_rules",
        "SELECT ON audits",
        *_execute("note_audit"),
    ),
}
