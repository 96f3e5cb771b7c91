"""A month of a wallet, as a statement."""

from uuid import UUID

from wallet.ledger.periods import Month
from wallet.ledger.refusals import Refusal, Refused
from wallet.ledger.statements import MonthlyStatement, Span, StatementEntry
from wallet.movements.show import show_entries
from wallet.storage.database import Database
from wallet.storage.statements import balance_before, find_owner, read_page

#: What is made into a file within a function's time and memory; who has more than that reads it page by page.
MAX_ENTRIES = 20_000
_AT_ONCE = 1_000


def monthly_statement(database: Database, *, user_id: UUID, month: Month) -> MonthlyStatement:
    """The user's statement of a month: of one that is not over, up to now.

    Raises `Refused`: a month that has not begun or has too many entries can't be asked for, one before the wallet is
    not there.
    """
    span = show_entries(database, user_id=user_id, since=month.begins_at, until=month.ends_at)
    if month.begins_at > span.as_of:
        raise Refused(Refusal.INVALID_REQUEST, fields=(("month", "This month has not begun."),))
    if span.length > MAX_ENTRIES:
        told = (
            f"There are more than {MAX_ENTRIES} entries: GET /wallet/transactions has them page by page, also as CSV."
        )
        raise Refused(Refusal.INVALID_REQUEST, fields=(("month", told),))
    owner = find_owner(database, span.wallet_id)
    if month.ends_at <= owner.since:
        raise Refused(Refusal.NOT_FOUND)
    return MonthlyStatement(
        month=month,
        holder=owner.holder,
        phone=owner.phone,
        currency=owner.currency,
        opening=balance_before(database, span, month.begins_at),
        closing=balance_before(database, span, month.ends_at),
        entries=_oldest_first(database, span),
        until=min(month.ends_at, span.as_of),
        made_at=span.as_of,
    )


def _oldest_first(database: Database, span: Span) -> tuple[StatementEntry, ...]:
    entries: list[StatementEntry] = []
    rest: Span | None = span
    while rest is not None:
        page = read_page(database, rest, limit=_AT_ONCE)
        entries += page.entries
        rest = page.rest
    return tuple(reversed(entries))
