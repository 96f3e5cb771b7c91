"""Rules about what callers asked for and were told."""

from collections import defaultdict
from collections.abc import Iterator

from tests.faults.books_of_world import hex_of
from tests.faults.effects import Effect, effects
from tests.faults.evidence import Evidence, Rule, Violation
from tests.faults.history import Json, Operation

#: Where an answer names the row that it made.
_NAMED_IN_ANSWER = {
    "register": ("user", "id"),
    "pay": ("transaction_id",),
    "refund": ("transaction_id",),
    "hold": ("id",),
    "capture": ("transaction_id",),
    "top_up": ("id",),
    "withdraw": ("id",),
    "bulk": ("id",),
    "refund_to_source": ("refund_id",),
    "credit_from_suspense": ("transaction_id",),
}
#: What leaves a row of its own behind.
EFFECTIVE = (*_NAMED_IN_ANSWER, "operator")


def told_done_is_in_the_books(evidence: Evidence) -> Iterator[Violation]:
    """Every 2xx left what was asked for, with its amounts and parties, under the id that the answer names."""
    found = _by_mark(evidence)
    for operation in evidence.history.of(*EFFECTIVE):
        own = found.get((operation.kind, operation.mark), [])
        if operation.must_have_happened and not own:
            yield Violation("told done, not in the books", _name(operation), str(operation.done))
        for effect in own:
            wrong = {k: v for k, v in effect.facts.items() if operation.asked.get(k) not in (None, v)}
            if wrong:
                yield Violation("other in the books than was asked", _name(operation), str(wrong))
            told = _told_id(operation)
            if told not in (None, effect.row_id):
                yield Violation("other in the books than was told", _name(operation), f"{told} {effect.row_id}")


def nothing_happens_unasked(evidence: Evidence) -> Iterator[Violation]:
    """Nothing is in the books that no request explains, or that every request was refused."""
    known = {(one.kind, one.mark): one for one in evidence.history.of(*EFFECTIVE)}
    for effect in effects(evidence.ledger):
        operation = known.get((effect.kind, effect.mark))
        if operation is None:
            yield Violation("in the books, asked for by nobody", f"{effect.kind} {effect.row_id}", str(effect.facts))
        elif not operation.may_have_happened:
            yield Violation("refused, yet in the books", _name(operation), str(operation.tries[-1:]))
    senders = {(one.actor, one.key) for one in evidence.history.operations if one.may_have_happened}
    for key in evidence.ledger.keys:
        if (key["actor_id"], key["idem_key"]) not in senders:
            yield Violation("a key that nobody sent", f"{key['actor_id']} {key['idem_key']}")


def nothing_happens_twice(evidence: Evidence) -> Iterator[Violation]:
    """Each operation took effect once at most, and so did each key, whatever was sent under it."""
    of_key: defaultdict[tuple[str, str], list[Effect]] = defaultdict(list)
    found = _by_mark(evidence)
    for operation in evidence.history.of(*EFFECTIVE):
        own = found.get((operation.kind, operation.mark), [])
        if len(own) > 1:
            yield Violation("done twice", _name(operation), str([effect.row_id for effect in own]))
        if operation.key is not None:
            of_key[operation.actor, operation.key] += own
    for (actor, key), own in of_key.items():
        if len({effect.mark for effect in own}) > 1:
            yield Violation("one key did two things", f"{actor} {key}", str([effect.kind for effect in own]))


#: What is told from the ledger when a key comes again later, or when the first answer was lost: without the balance.
_TOLD_ANEW = {"pay", "refund", "hold", "withdraw"}


def one_key_has_one_answer(evidence: Evidence) -> Iterator[Violation]:
    """Whoever repeats a request is told what was told first, of money that moved perhaps without the balance."""
    for operation in evidence.history.operations:
        told = [one.body for one in operation.tries if one.is_done]
        if operation.kind in _TOLD_ANEW and any("balance" not in body for body in told):
            told = [{name: value for name, value in body.items() if name != "balance"} for body in told]
        if operation.key is not None and any(body != told[0] for body in told):
            yield Violation("one key, two answers", _name(operation), str(told))


def no_accidents(evidence: Evidence) -> Iterator[Violation]:
    """No harm from outside is an error of ours: it has a name and a way on."""
    for operation in evidence.history.operations:
        if any(one.code == "internal_error" for one in operation.tries):
            yield Violation("an accident", _name(operation))


def balances_told_can_be(evidence: Evidence) -> Iterator[Violation]:
    """Available is what is not held, and nothing is below nothing."""
    for operation in evidence.history.of("balance"):
        for one in operation.tries:
            told = one.body["balance"] if one.is_done else {"total": 0, "held": 0, "available": 0}
            adds_up = told["total"] - told["held"] == told["available"]
            if not adds_up or min(told.values()) < 0:
                yield Violation("a balance told that can't be", _name(operation), str(told))


def holds_end_as_was_told(evidence: Evidence) -> Iterator[Violation]:
    """A release that was answered has ended its hold, and no hold is released that nobody let go."""
    status = {row["id"]: row["status"] for row in evidence.ledger.holds}
    let_go = {one.asked["hold"] for one in evidence.history.of("release") if one.may_have_happened}
    for operation in evidence.history.of("release"):
        if operation.must_have_happened and status.get(operation.asked["hold"]) not in ("released", "expired"):
            yield Violation("told released, not in the books", _name(operation))
    for hold, stands in status.items():
        if stands == "released" and hold not in let_go:
            yield Violation("released, asked for by nobody", hold)


def _by_mark(evidence: Evidence) -> dict[tuple[str, str], list[Effect]]:
    found: defaultdict[tuple[str, str], list[Effect]] = defaultdict(list)
    for effect in effects(evidence.ledger):
        found[effect.kind, effect.mark].append(effect)
    return found


def _told_id(operation: Operation) -> str | None:
    if operation.done is None or operation.kind not in _NAMED_IN_ANSWER:
        return None
    told: Json | str = operation.done.body
    for name in _NAMED_IN_ANSWER[operation.kind]:
        told = told[name]  # type: ignore[index]  # an object, but for the last step
    return hex_of(str(told))


def _name(operation: Operation) -> str:
    return f"{operation.kind} {operation.mark}"


RULES: tuple[Rule, ...] = (
    told_done_is_in_the_books,
    nothing_happens_unasked,
    nothing_happens_twice,
    one_key_has_one_answer,
    no_accidents,
    balances_told_can_be,
    holds_end_as_was_told,
)
