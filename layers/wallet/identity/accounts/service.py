"""Registering, and passwords that change."""

import hashlib
import json
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
    account, _ = _find(database, asking)
    check_new_password(new_password, field="new_password", context=(account.phone, account.name, product))
    stored = _check_password(database, asking, rules, old_password, address)
    store.change_password(
        database,
        asking,
        password_hash=stored,
        new_password_hash=passwords.hash_password(new_password, cost=rules.password_cost),
    )


def change_account(
    database: Database, new_id: Callable[[], UUID], asking: Principal, *, name: str | None, email: str | None
) -> Account:
    """The caller's account with another name, behind a confirmation, or e-mail address ('' is none); None keeps it.

    Raises `Refused` (`operator_needed`, `name_changed_lately`, `confirmation_required`, …).
    """
    request_hash = hashlib.sha256(json.dumps(["change the account", name, email]).encode()).digest()
    store.change_own_name(database, asking, change_id=new_id(), request_hash=request_hash, name=name, email=email)
    return show_account(database, asking)


def change_phone(
    database: Database,
    new_id: Callable[[], UUID],
    asking: Principal,
    rules: SignInRules,
    *,
    phone_proof: str,
    password: str,
    address: str,
) -> Account:
    """The caller's account on another phone, which they prove, behind a confirmation by the one before or a passkey.

    Guesses are counted with those of signing in. Raises `Refused` (`invalid_credentials`, `invalid_proof`, …).
    """
    stored = _check_password(database, asking, rules, password, address)
    request_hash = hashlib.sha256(b"change the phone:" + phone_proof.encode()).digest()
    store.change_own_phone(
        database,
        asking,
        request_id=new_id(),
        change_id=UUID(bytes=request_hash[:16]),
        request_hash=request_hash,
        proof_hash=proof_hash(phone_proof),
        password_hash=stored,
    )
    return show_account(database, asking)


def reset_password(
    database: Database,
    new_id: Callable[[], UUID],
    rules: ResetRules,
    *,
    phone_proof: str,
    passkey_proof: str | None,
    new_password: str,
    address: str,
    product: str,
) -> None:
    """Another password for who proves the phone by a code, and who was not here for long by a passkey too.

    Every session ends. Raises `Refused` (`invalid_proof`, `operator_needed`, …).
    """
    check_new_password(new_password, field="new_password", context=(product,))
    _count_hashing(database, rules.sign_ins, phone_proof, address)
    store.reset_password(
        database,
        reset_id=new_id(),
        proof_hash=proof_hash(phone_proof),
        passkey_proof_hash=proof_hash(passkey_proof) if passkey_proof is not None else None,
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


def _check_password(database: Database, asking: Principal, rules: SignInRules, password: str, address: str) -> bytes:
    """The stored hash of a password that somebody shows who has signed in; a guess counts as one of a sign-in."""
    account, stored = _find(database, asking)
    counters = SignInCounters(
        pair=subject_hash("sign-in", f"{account.phone} from {address}"),
        phone=subject_hash("sign-in", account.phone),
        address=address_hash(address),
    )
    counted = count_sign_in(database, counters, rules, phone=account.phone, proof_hash=None)
    if not passwords.check_password(password, stored, cost=rules.password_cost):
        raise Refused(Refusal.INVALID_CREDENTIALS)
    forgive_sign_in(database, counted)
    return stored


def _find(database: Database, asking: Principal) -> tuple[Account, bytes]:
    found = store.find_account(database, asking.user_id)
    if found is None:
        raise Refused(Refusal.INVALID_TOKEN)
    return found
