"""Somebody who is signed in, and the money that they move."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final, TypeVar

import httpx

from wallet_client.rest import AuthenticatedClient, Client
from wallet_client.rest.api.login import post_login
from wallet_client.rest.api.payments import get_payments, post_payments
from wallet_client.rest.api.token import post_token
from wallet_client.rest.api.top_ups import get_top_ups_id, post_top_ups
from wallet_client.rest.api.wallet import get_wallet
from wallet_client.rest.models import (
    LoginBody,
    NewTopUp,
    Payment,
    PaymentBody,
    PaymentPayeeRef,
    PaymentReceipt,
    Problem,
    TokenBody,
    Tokens,
    TopUp,
    TopUpBody,
)
from wallet_client.rest.models import Wallet as WalletAnswer
from wallet_client.rest.types import UNSET, Response
from wallet_client.until_known import until_known

Answer = TypeVar("Answer")

#: A bit more than the API takes at most.
_TIMEOUT: Final = httpx.Timeout(35.0)
#: A refresh token may be used again within 30 s, and later it ends its session. So a change that is not answered is
#: given up and repeated before that: the last repetition starts within the patience, and has to connect soon.
_TOKEN_TIMEOUT: Final = httpx.Timeout(12.0, connect=4.0)
_TOKEN_PATIENCE_S: Final = 20.0
#: A token that is over so soon is changed before it is used.
_MARGIN_S: Final = 60.0
#: Whatever comes with a token that is over is refused, and what came before is done or not within this.
_LONGEST_RUN_S: Final = 60.0


class Wallet:
    """A signed-in user's wallet. Safe to be used by many threads.

    Each method that moves money takes the key of its intention, and sends the same request until the outcome is known:
    RefusedError is a no. OutcomeUnknownError is nobody's word for now: the same call later, with the error's `until` as
    `unknown_until`, goes on where it ended. Amounts are whole paise.
    """

    def __init__(
        self, base_url: str, tokens: Tokens, *, patience_s: float = 60.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        """Take what POST /login has answered. `base_url` ends in /v1; `patience_s` is as of `until_known`."""
        self._base_url = base_url
        self._patience_s = patience_s
        self._transport = transport
        self._lifetime_s = tokens.expires_in
        self._lock = threading.Lock()
        self._client, self._refresh_token, self._good_until = self._with(tokens)

    @classmethod
    def sign_in(
        cls,
        base_url: str,
        phone: str,
        password: str,
        *,
        phone_proof: str | None = None,
        patience_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> "Wallet":
        """Sign in; a `phone_proof` gets in where others' guesses have locked the phone. The rest is as of the class."""
        body = LoginBody(phone, password, UNSET if phone_proof is None else phone_proof)
        client = Client(base_url, timeout=_TIMEOUT, httpx_args={"transport": transport})
        tokens = until_known(
            lambda: post_login.sync_detailed(client=client, body=body), patience_s=patience_s, moves_money=False
        )
        return cls(base_url, tokens, patience_s=patience_s, transport=transport)

    def ask(
        self,
        request: Callable[[AuthenticatedClient], Response[Answer | Problem]],
        *,
        moves_money: bool = True,
        unknown_until: datetime | None = None,
    ) -> Answer:
        """Any route: `request` calls one of the functions `….sync_detailed` with the client that it is given.

        It may be sent more than once, so a POST that moves money has to have its key in it. The rest is as of
        `until_known`.
        """

        def attempt() -> Response[Answer | Problem]:
            client = self._fresh()
            response = request(client)
            if isinstance(response.parsed, Problem) and response.parsed.code == "invalid_token":
                # another session of theirs has ended, and with it this token
                response = request(self._fresh(instead_of=client))
            return response

        return until_known(
            attempt,
            patience_s=self._patience_s,
            moves_money=moves_money,
            unknown_until=unknown_until,
            arrives_within_s=self._lifetime_s + _LONGEST_RUN_S,
        )

    def balance(self) -> WalletAnswer:
        """The wallet as it stands: balance, limits and what is used of them."""
        return self.ask(lambda client: get_wallet.sync_detailed(client=client), moves_money=False)

    def pay(
        self,
        to: PaymentPayeeRef,
        amount: int,
        *,
        key: str,
        description: str | None = None,
        reference: str | None = None,
        unknown_until: datetime | None = None,
    ) -> PaymentReceipt:
        """Pay: once, however often this is called with this key."""
        body = PaymentBody(to, amount, description, reference)
        return self.ask(
            lambda client: post_payments.sync_detailed(client=client, body=body, idempotency_key=key),
            unknown_until=unknown_until,
        )

    def payment_of(self, key: str) -> Payment | None:
        """What was paid under a key; None if nothing was yet, which says nothing of an attempt that is under way."""
        found = self.ask(
            lambda client: get_payments.sync_detailed(client=client, key=key, limit=UNSET), moves_money=False
        )
        return found.data[0] if found.data else None

    def open_top_up(self, amount: int, *, key: str, unknown_until: datetime | None = None) -> NewTopUp:
        """Ask for money to come in; the answer has what a person pays by."""
        body = TopUpBody(amount)
        return self.ask(
            lambda client: post_top_ups.sync_detailed(client=client, body=body, idempotency_key=key),
            unknown_until=unknown_until,
        )

    def top_up(self, top_up_id: str) -> TopUp:
        """A top-up as it stands. `failed` and `expired` are not the end: a late payment is credited all the same."""
        return self.ask(lambda client: get_top_ups_id.sync_detailed(top_up_id, client=client), moves_money=False)

    def _fresh(self, *, instead_of: AuthenticatedClient | None = None) -> AuthenticatedClient:
        """A client whose token is good: a refresh token is good once, so one thread changes it for all."""
        with self._lock:
            if self._client is instead_of or time.monotonic() > self._good_until:
                body = TokenBody(self._refresh_token)
                nobody = Client(self._base_url, timeout=_TOKEN_TIMEOUT, httpx_args={"transport": self._transport})
                tokens = until_known(
                    lambda: post_token.sync_detailed(client=nobody, body=body),
                    patience_s=_TOKEN_PATIENCE_S,
                    moves_money=False,
                )
                self._client, self._refresh_token, self._good_until = self._with(tokens)
            return self._client

    def _with(self, tokens: Tokens) -> tuple[AuthenticatedClient, str, float]:
        client = AuthenticatedClient(
            self._base_url, tokens.access_token, timeout=_TIMEOUT, httpx_args={"transport": self._transport}
        )
        return client, tokens.refresh_token, time.monotonic() + tokens.expires_in - _MARGIN_S
