"""What each database user of the functions may do: SELECT what it shows, EXECUTE what it does, and nothing else.

No user here has INSERT, UPDATE, DELETE or DDL on anything. The procedures run with their owner's rights, so a bug or an
intruder in a function can ask for a payment that the kernel allows, and can't write one that it doesn't.
The passwords' hashes are readable to one user alone.
"""

_PUBLIC_USER_COLUMNS = "id, phone, name, kind, created_at"

_LEDGER = (
    f"SELECT ({_PUBLIC_USER_COLUMNS}) ON users",
    "SELECT ON tiers",
    "SELECT ON wallets",
    "SELECT ON accounts",
    "SELECT ON transactions",
    "SELECT ON postings",
)
_ATTEMPTS = ("SELECT ON payment_attempts", "SELECT ON payment_attempt_events")


def _execute(*procedures: str) -> tuple[str, ...]:
    return tuple(f"EXECUTE ON PROCEDURE {procedure}" for procedure in procedures)


GRANTS: dict[str, tuple[str, ...]] = {
    # register, login
    "identity": (
        f"SELECT ({_PUBLIC_USER_COLUMNS}, password_hash) ON users",
        *_execute(
            "register_user",
            "count_login_attempt",
            "forgive_login_attempts",
            "start_refresh_family",
            "rotate_refresh_token",
            "revoke_refresh_family",
        ),
    ),
    # pay, top_up
    "money": (*_LEDGER, *_ATTEMPTS, *_execute("post_payment", "open_top_up", "attach_order")),
    # webhook, reconcile
    "gateway": (
        *_ATTEMPTS,
        "SELECT ON gateway_events",
        *_execute(
            "attach_order",
            "settle_payment",
            "note_unsuccessful_payment",
            "store_gateway_event",
            "finish_gateway_event",
            "claim_check",
            "release_check",
            "expire_attempt",
            "sweep_identity",
        ),
    ),
    # balance
    "reader": _LEDGER,
}
