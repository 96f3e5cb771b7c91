"""Webhooks: signed, compact, sent from the background, at least once, in no promised order, until a 2xx."""

import hashlib
import hmac
import http.client
import json
import queue
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from local.gateway.shapes import CASHFREE, Dispute, Json, Order, Payment, Payout, Refund, compact, new_id
from local.gateway.store import Row, Store

#: Each product of the gateway sends its webhooks to an address of their own, signed with a secret of their own.
PAYMENTS, PAYOUTS = "razorpay", "razorpayx"
CHANNELS = (PAYMENTS, PAYOUTS, CASHFREE)
_PARALLEL = 32
_IDLE_SECONDS = 30.0
#: Between two events of one story, so that they usually come in order; a network promises nothing.
_STAGGER_SECONDS = 0.03


@dataclass(frozen=True)
class Patience:
    """When to try again, in seconds: after `first`, doubling to `longest`, for `altogether`."""

    timeout: float = 5.0
    first: float = 1.0
    longest: float = 60.0
    altogether: float = 86_400.0

    def pause_after(self, tries: int) -> float:
        """Return the pause after so many tries."""
        return min(self.longest, self.first * 2.0 ** min(tries - 1, 30))


class Event:
    """A snapshot of what has happened, from the moment it is made."""

    channel = PAYMENTS

    def __init__(
        self,
        name: str,
        payment: Payment,
        *,
        order: Order | None = None,
        refund: Refund | None = None,
        dispute: Dispute | None = None,
        at: int | None = None,
    ) -> None:
        """Take the snapshot; `at` is its time in Unix seconds, where that is not now."""
        self.id = new_id()
        self.name = name
        self.order_id = payment.order_id
        self.payment_id = payment.id
        self._created_at = int(time.time()) if at is None else at
        entities: dict[str, Order | Payment | Refund | Dispute | None] = {
            "refund": refund,
            "dispute": dispute,
            "payment": payment,
            "order": order,
        }
        self._payload: Json = {n: {"entity": e.as_json()} for n, e in entities.items() if e is not None}

    def body(self, account_id: str) -> bytes:
        """Write it as it is sent."""
        return compact(
            {
                "entity": "event",
                "account_id": account_id,
                "event": self.name,
                "contains": list(self._payload),
                "payload": self._payload,
                "created_at": self._created_at,
            }
        )

    def headers(self, body: bytes, secret: str) -> dict[str, str]:
        """Sign it."""
        return {
            "User-Agent": "Razorpay-Webhook/v1",
            "X-Razorpay-Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
            "X-Razorpay-Event-Id": self.id,
            "Request-Id": self.id,
        }


class PayoutEvent(Event):
    """A snapshot of a payout."""

    channel = PAYOUTS

    def __init__(self, name: str, payout: Payout) -> None:
        """Take the snapshot; where others name their order it names our reference."""
        self.id = new_id()
        self.name = name
        self.order_id = payout.reference_id or ""
        self.payment_id = payout.id
        self._created_at = int(time.time())
        self._payload = {"payout": {"entity": payout.as_json()}}


class Outbox:
    """Events on their way, kept in the store until they are delivered or given up."""

    def __init__(self, store: Store, *, account_id: str, patience: Patience) -> None:
        """Take the memory, whose events these are, and how often to try."""
        self._store = store
        self._account_id = account_id
        self._patience = patience
        self._awake = threading.Event()
        self._stopped = threading.Event()
        self._work: queue.SimpleQueue[Row | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []

    def aim(self, url: str, secret: str, channel: str = PAYMENTS) -> None:
        """Set where a channel's events go and how they are signed. Those of before keep the signature of their day."""
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and url.isascii()
        if not usable or not secret:
            raise ValueError("a webhook needs an http(s) URL and a secret")
        with self._store.block():
            self._store.keep_setting(_url_of(channel), url)
            self._store.keep_setting(_secret_of(channel), secret)

    def add(
        self,
        events: Sequence[Event],
        *,
        duplicates: int = 0,
        delay_s: float = 0.0,
        out_of_order: bool = False,
    ) -> None:
        """Put events in, within the caller's atomic block: they exist if what they tell of does.

        Call `wake` after the block.
        """
        told = _shuffled(events) if out_of_order else list(events)
        now = time.time()
        for place, event in enumerate(told):
            secret = self._store.setting(_secret_of(event.channel))
            body = event.body(self._account_id)
            headers = json.dumps(event.headers(body, secret or ""))
            for _ in range(1 + duplicates):
                self._store.rows(
                    "INSERT INTO webhooks (channel, event_id, event, order_id, payment_id, body, headers,"
                    " created_at, due_at, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    event.channel,
                    event.id,
                    event.name,
                    event.order_id,
                    event.payment_id,
                    body,
                    headers,
                    now,
                    now + delay_s + place * _STAGGER_SECONDS,
                    "waiting" if secret else "not_configured",
                )

    def wake(self) -> None:
        """Look for something to send now."""
        self._awake.set()

    def deliveries(self, order_id: str | None) -> list[Json]:
        """Tell what was sent where, how often, and what came back."""
        where = "" if order_id is None else "WHERE order_id = ?"
        values = () if order_id is None else (order_id,)
        sql = f"SELECT * FROM webhooks {where} ORDER BY position"  # noqa: S608 - one of two fixed texts
        shown = ("event_id", "event", "order_id", "payment_id", "url", "status", "tries")
        return [
            {**{name: row[name] for name in shown}, "answers": json.loads(row["answers"])}
            for row in self._store.rows(sql, *values)
        ]

    def start(self) -> None:
        """Begin to send; what a former run left unfinished is sent again."""
        with self._store.block():
            self._store.rows("UPDATE webhooks SET status = 'waiting' WHERE status = 'sending'")
        self._begin("webhooks", self._hand_out)
        for number in range(_PARALLEL):
            self._begin(f"webhook-{number}", self._send_all)

    def stop(self) -> None:
        """End the threads; an answer that is under way is waited for."""
        self._stopped.set()
        self._awake.set()
        for _ in range(_PARALLEL):
            self._work.put(None)
        for thread in self._threads:
            thread.join(self._patience.timeout + 1)

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _hand_out(self) -> None:
        while not self._stopped.is_set():
            self._awake.clear()
            now = time.time()
            with self._store.block():
                due = self._store.rows(
                    "UPDATE webhooks SET status = 'sending' WHERE status = 'waiting' AND due_at <= ? RETURNING *",
                    now,
                )
                rest = self._store.rows("SELECT MIN(due_at) AS next FROM webhooks WHERE status = 'waiting'")
            for row in sorted(due, key=lambda row: (row["due_at"], row["position"])):
                self._work.put(row)
            upcoming = rest[0]["next"]
            self._awake.wait(_IDLE_SECONDS if upcoming is None else max(0.0, upcoming - time.time()))

    def _send_all(self) -> None:
        while (row := self._work.get()) is not None:
            if self._stopped.is_set():
                return
            url = self._store.setting(_url_of(row["channel"])) or ""
            answer = _post(url, row, self._patience.timeout)
            self._note(row, url, answer)

    def _note(self, row: Row, url: str, answer: int | str) -> None:
        """Keep what came back, and decide when to try again."""
        tries = row["tries"] + 1
        answers = [*json.loads(row["answers"]), answer]
        now = time.time()
        due_at = now + self._patience.pause_after(tries)
        if isinstance(answer, int) and 200 <= answer < 300:
            status = "delivered"
        elif due_at > row["created_at"] + self._patience.altogether:
            status = "given_up"
        else:
            status = "waiting"
        with self._store.block():
            self._store.rows(
                "UPDATE webhooks SET status = ?, tries = ?, url = ?, answers = ?, due_at = ? WHERE position = ?",
                status,
                tries,
                url,
                json.dumps(answers[-20:]),
                due_at,
                row["position"],
            )
        self.wake()


def _shuffled(events: Sequence[Event]) -> list[Event]:
    """Put events in another order than the one they came in; two are always exchanged."""
    told = list(reversed(events))
    if len(told) > 2:
        tail = told[1:]
        random.shuffle(tail)
        told[1:] = tail
    return told


def _url_of(channel: str) -> str:
    return f"webhook_url:{channel}"


def _secret_of(channel: str) -> str:
    return f"webhook_secret:{channel}"


def _post(url: str, row: Row, timeout: float) -> int | str:
    """Send one webhook and return the status, or what went wrong in a word. Redirects are failures."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request(
            "POST",
            (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            body=row["body"],
            headers={"Content-Type": "application/json", "Accept-Encoding": "gzip", **json.loads(row["headers"])},
        )
        response = connection.getresponse()
        response.read(65_536)
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    else:
        return response.status
    finally:
        connection.close()
