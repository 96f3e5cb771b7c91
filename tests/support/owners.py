"""Somebody in a session of theirs, through the store of accounts."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from tests.support.books import Books, Person
from tests.support.confirmations import Confirming, required
from tests.support.moves import connection
from tests.support.proofs import proof_of
from tests.support.sign_in import PASSWORD_HASH, SignedIn, sign_in, signed_in_anew
from wallet import wiring
from wallet.identity.accounts import store
from wallet.identity.phone_proofs.model import Purpose, proof_hash


@dataclass
class Owner:
    """Somebody in a session of theirs."""

    books: Books
    person: Person
    session: SignedIn

    @classmethod
    def new(cls, books: Books, **more: str) -> "Owner":
        person = books.person(money=1_000, **more)
        return cls(books, person, sign_in(books, person))

    def rename(self, name: str | None, email: str | None = None) -> None:
        store.change_own_name(
            connection(self.books, "identity"),
            self.session.principal,
            change_id=wiring.new_id(),
            request_hash=f"{name}".encode().ljust(32, b"."),
            name=name,
            email=email,
        )

    def move(self, proof: str, password_hash: bytes = PASSWORD_HASH) -> None:
        store.change_own_phone(
            connection(self.books, "identity"),
            self.session.principal,
            request_id=wiring.new_id(),
            change_id=_change_of(proof),
            request_hash=proof_hash(proof),
            proof_hash=proof_hash(proof),
            password_hash=password_hash,
        )

    def proof(self, phone: str, purpose: Purpose = Purpose.CHANGE_PHONE) -> str:
        return proof_of(connection(self.books, "identity"), phone, purpose)

    def confirmed(self, call: Callable[[], None]) -> None:
        Confirming(self.books, self.now()).confirm(required(call).id)
        call()

    def now(self) -> Person:
        return signed_in_anew(self.books, self.person)

    def row(self) -> dict[str, object]:
        query = "SELECT name, email, phone FROM users WHERE id = %s"
        return self.books.select(query, self.person.user_id.bytes)[0]


def _change_of(proof: str) -> UUID:
    return UUID(bytes=proof_hash(proof)[:16])
