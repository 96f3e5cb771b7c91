"""Somebody with an authenticator, through the passkeys' service."""

import time
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from tests.support.authenticator import Authenticator
from tests.support.books import Books, Person
from tests.support.confirmations import Confirming, required
from tests.support.moves import connection
from wallet import wiring
from wallet.identity.sessions.model import Principal
from wallet.passkeys import service
from wallet.passkeys.model import AddedPasskey, MadePasskey, RelyingParty

ORIGIN = "https://wallet.example"
PARTY = RelyingParty.of(ORIGIN, name="Wallet", key="a key")


@dataclass
class Device:
    """Somebody in a session, with an authenticator before them."""

    books: Books
    person: Person
    authenticator: Authenticator = field(default_factory=lambda: Authenticator(ORIGIN))
    party: RelyingParty = PARTY

    @property
    def caller(self) -> Principal:
        return Principal(self.person.user_id, UUID(int=7), self.person.generation)

    def made(self) -> MadePasskey:
        options = service.creation_options(
            connection(self.books, "confirmations"),
            self.party,
            caller=self.caller,
            nonce=wiring.new_nonce(),
            now=int(time.time()),
        )
        return MadePasskey("my phone", self.authenticator.create(options))

    def add(self, made: MadePasskey) -> AddedPasskey:
        return service.add_passkey(
            connection(self.books, "confirmations"),
            wiring.new_id,
            self.party,
            caller=self.caller,
            made=made,
            now=int(time.time()),
        )

    def registered(self) -> AddedPasskey:
        """One more passkey of theirs, confirmed by a code."""
        made = self.made()
        Confirming(self.books, self.person).confirm(required(partial(self.add, made)).id)
        return self.add(made)

    def remove(self, passkey_id: UUID) -> None:
        database = connection(self.books, "confirmations")
        service.remove_passkey(database, wiring.new_id, caller=self.caller, passkey_id=passkey_id)

    def options(self, confirmation_id: UUID) -> dict[str, Any]:
        database = connection(self.books, "confirmations")
        return service.request_options(database, self.party, caller=self.caller, confirmation_id=confirmation_id)

    def confirm(self, confirmation_id: UUID, answer: dict[str, Any]) -> None:
        service.confirm_by_passkey(
            connection(self.books, "confirmations"),
            self.party,
            caller=self.caller,
            confirmation_id=confirmation_id,
            answer=answer,
        )

    def signed(self, confirmation_id: UUID) -> None:
        self.confirm(confirmation_id, self.authenticator.get(self.options(confirmation_id)))
