"""Rules of the tests' own for what is confirmed, and people who confirm by the code that they were sent."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from tests.support.books import Books, Person, unique
from tests.support.moves import connection
from wallet import wiring
from wallet.confirmations import store
from wallet.confirmations.model import CodeLimits, CodeQuotas, CodeToSend
from wallet.identity.phone_proofs.model import code_hash
from wallet.identity.sessions.model import Principal
from wallet.ledger.refusals import Refusal, Refused, RequiredConfirmation

CODE_LIMITS = CodeLimits(per_day=20, pause_s=30)
CODE, WRONG = "123456", "654321"


def tier_with(books: Books, **rules: int) -> str:
    """A tier without limits whose money out is confirmed by these rules."""
    code = unique("t")[:16]
    books.tier(code, {"2021-01-01": {}})
    set_rules(books, code, "2021-01-01", **rules)
    return code


def set_rules(books: Books, tier: str, since: str, **rules: int) -> None:
    """Rules of a tier from a moment on; what is not named is none."""
    row: dict[str, object] = {"tier": tier, "valid_from": since, **rules}
    columns, places = ", ".join(row), ", ".join(["%s"] * len(row))
    books.write(f"INSERT INTO confirmation_rules ({columns}) VALUES ({places})", *row.values())  # noqa: S608 - ours
    books.renew_rules(tier)


def required(call: Callable[[], object]) -> RequiredConfirmation:
    """What a call must be refused without."""
    with pytest.raises(Refused) as caught:
        call()
    assert caught.value.refusal is Refusal.CONFIRMATION_REQUIRED, caught.value
    assert caught.value.confirmation is not None
    return caught.value.confirmation


@dataclass(frozen=True, slots=True)
class Confirming:
    """Somebody who confirms, in the session that their generation is of."""

    books: Books
    person: Person
    limits: CodeLimits = CODE_LIMITS
    session_id: UUID = field(default_factory=wiring.new_id)

    def ask_for_code(self, confirmation_id: UUID, code: str = CODE) -> CodeToSend:
        """A code, which is known here."""
        return store.ask_for_code(
            connection(self.books, "confirmations"),
            self.limits,
            caller=self._caller(),
            confirmation_id=confirmation_id,
            code_hash=code_hash("a key", confirmation_id, code),
            quotas=CodeQuotas.of(self._caller()),
        )

    def show_code(self, confirmation_id: UUID, code: str = CODE) -> None:
        """The code that they say they were sent."""
        store.confirm_by_code(
            connection(self.books, "confirmations"),
            caller=self._caller(),
            confirmation_id=confirmation_id,
            code_hash=code_hash("a key", confirmation_id, code),
        )

    def forget_code(self, confirmation_id: UUID, code: str = CODE) -> None:
        """A code that could not be sent."""
        hashed = code_hash("a key", confirmation_id, code)
        database = connection(self.books, "confirmations")
        store.forget_code(
            database, confirmation_id=confirmation_id, code_hash=hashed, quotas=CodeQuotas.of(self._caller())
        )

    def confirm(self, confirmation_id: UUID) -> None:
        """All of it."""
        self.ask_for_code(confirmation_id)
        self.show_code(confirmation_id)

    def _caller(self) -> Principal:
        return Principal(self.person.user_id, self.session_id, self.person.generation)
