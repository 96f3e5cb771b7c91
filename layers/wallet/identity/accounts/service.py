"""Registering, and passwords that change."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from wallet.identity import passwords
from wallet.identity.accounts import store
from wallet.identity.accounts.model import Account, ResetRules, check_new_password
from wallet.identity.phone_proofs.model import proof_hash
from wallet.identity.sessions.model import Principal, SignInRules, address_hash, subject_hash
from wallet.identity.sessions.store import SignInCounters, count_hashing, count_sign_in, forgive_sign_in
from wallet.ledger.receipts import Registration
from wallet.ledger.refusals import Refusal, Refused
from wallet.storage import users
from wallet.storage.claims import Claim
from wallet.storage.database import Database
from wallet.storage.users import NewUser


def register(
    database: Database, new_id: Callable[[], UUID], user: NewUser, *, phone_proof: str, claim: Claim | None
) -> tuple[Registration, bool]:
    """A user, their wallet and its account, in one commit; True if this key had done so before.

    Raises `Refused` (`invalid_proof`, `phone_taken`).
    """
    return users.register_user(
        database, user, proof_hash=proof_hash(phone_proof), user_id=new_id(), wallet_id=new_id(), claim=claim
    )


def check_registration(
    database: Database,
    rules: SignInRules,
    *,
    phone_proof: str,
    password: str,
    context: tuple[str, ...],
    address: str,
) -> None:
    """Whether a password is hashed for whoever asks; raises `Refused` (`invalid_request`, `too_many_attempts`)."""
    check_new_password(password, field="password", context=context)
    _count_hashing(database, rules, phone_proof, address)


def show_account(database: Database, asking: Principal) -> Account:
    """The caller's account."""
    return _find(database, asking)[0]


def change_password(
    database: Database,
    asking: Principal,
    rules: SignInRules,
    *,
    old_password: str,
    new_password: str,
    address: str,
    product: str,
) -> None:
    """Another password for who shows the old one; every other session of theirs ends.

    Guesses are counted with those of signing in. Raises `Refused` (`invalid_credentials`, `too_many_attempts`, …).
    """
    account, stored = _find(database, asking)
    check_new_password(new_password, field="new_password", context=(account.phone, account.name, product))
    counters = SignInCounters(
        pair=subject_hash("sign-in", f"{account.phone} from {address}"),
        phone=subject_hash("sign-in", account.phone),
        address=address_hash(address),
    )
    counted = count_sign_in(database, counters, rules, phone=account.phone, proof_hash=None)
    if not passwords.check_password(old_password, stored, cost=rules.password_cost):
        raise Refused(Refusal.INVALID_CREDENTIALS)
    store.change_password(
        database,
        asking,
        password_hash=stored,
        new_password_hash=passwords.hash_password(new_password, cost=rules.password_cost),
    )
    forgive_sign_in(database, counted)


def reset_password(
    database: Database,
    new_id: Callable[[], UUID],
    rules: ResetRules,
    *,
    phone_proof: str,
    new_password: str,
    address: str,
    product: str,
) -> None:
    """Another password for who proves the phone; every session ends. Raises `Refused` (`invalid_proof`, …)."""
    check_new_password(new_password, field="new_password", context=(product,))
    _count_hashing(database, rules.sign_ins, phone_proof, address)
    store.reset_password(
        database,
        reset_id=new_id(),
        proof_hash=proof_hash(phone_proof),
        password_hash=passwords.hash_password(new_password, cost=rules.sign_ins.password_cost),
        seen_within_days=rules.seen_within_days,
    )


def freeze(database: Database, asking: Principal) -> None:
    """Nothing leaves the caller's wallet any more, and every other session of theirs ends."""
    store.freeze_own_wallet(database, asking)


def unfreeze(
    database: Database, new_id: Callable[[], UUID], asking: Principal, *, phone_proof: str, wait_s: int
) -> datetime:
    """When the caller's own freeze will end. Raises `Refused` (`invalid_proof`, `not_found`)."""
    return store.unfreeze_own_wallet(
        database, asking, request_id=new_id(), proof_hash=proof_hash(phone_proof), wait_s=wait_s
    )


def _count_hashing(database: Database, rules: SignInRules, phone_proof: str, address: str) -> None:
    count_hashing(
        database,
        proof_hash=proof_hash(phone_proof),
        address_hash=address_hash(address),
        per_address=rules.per_address,
        window_s=rules.window_s,
    )


def _find(database: Database, asking: Principal) -> tuple[Account, bytes]:
    found = store.find_account(database, asking.user_id)
    if found is None:
        raise Refused(Refusal.INVALID_TOKEN)
    return found
