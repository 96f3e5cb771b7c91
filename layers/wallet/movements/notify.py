"""Telling a person that money left their wallet, or what happened to their account."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from wallet.channels.port import Cap, ChannelUnavailableError, Notices, Place
from wallet.ledger import ids
from wallet.ledger.notices import Alert, Debit, Notice, Recipient, Sender, alert_notice, debit_notice, pause_notice
from wallet.ledger.periods import INDIA
from wallet.storage.database import Database
from wallet.storage.recipients import find_former_phone, find_recipient
from wallet.storage.wallets import find_wallet


class NobodyToTellError(Exception):
    """The event names a wallet that this database doesn't have: bus and database belong to different wallets."""


class Untold(StrEnum):
    """Why a person is not told, by the words of the log."""

    PHONE_NOT_PROVED = "phone_not_proved"
    PHONE_IS_ANOTHERS = "phone_is_anothers"
    CAP_PER_PERSON = "cap_per_person"
    CAP_IN_ALL = "cap_in_all"


@dataclass(frozen=True, slots=True)
class Messenger:
    """How people are told: through what, at most how often in a day (`per_person` as a figure), and by whom."""

    notices: Notices
    cap: Cap
    per_person: int
    sender: Sender


def notify(database: Database, messenger: Messenger, debit: Debit, *, now: datetime) -> Untold | None:
    """Sends the notice of one debit, with the balance as it is now; why not, if it does not.

    To a phone only if it is known to be the person's, or anybody could have a stranger sent messages by registering
    with their phone; and not more than so many a day. Behind the person's last one of a day they are told that it was.
    Raises NobodyToTellError, or ChannelUnavailableError: then nothing counts, and it is right to try again.
    """
    recipient = _recipient(database, debit, other_wallet_id=debit.other_wallet_id)
    state = find_wallet(database, user_id=recipient.user_id)
    if state is None:
        raise NobodyToTellError(debit.event_id)
    notice = debit_notice(debit, recipient, messenger.sender, available=state.balance.available)
    if not messenger.notices.goes_to_phones:
        _send(messenger, debit, "", notice)
        return None
    last = pause_notice(messenger.sender, notices=messenger.per_person)
    person = ids.show(ids.USER, recipient.user_id)
    return _send_to_phone(messenger, debit, recipient, [notice, last], counted_as=person, now=now)


def alert(database: Database, messenger: Messenger, told: Alert, *, now: datetime) -> Untold | None:
    """Sends an alert to the phone, if that is known to be the person's; why not, if it does not.

    Each text has a cap of its own for each person: no flood of one hides another. Raises as `notify`.
    """
    recipient = _recipient(database, told, other_wallet_id=None)
    if told.to_former_phone:  # it was proved when it was theirs
        former = find_former_phone(database, user_id=recipient.user_id, ended_at=told.at)
        recipient = replace(recipient, phone=former, phone_is_proved=True)
    text_and_person = f"{told.template}#{ids.show(ids.USER, recipient.user_id)}"
    notice = alert_notice(told, messenger.sender)
    return _send_to_phone(messenger, told, recipient, [notice], counted_as=text_and_person, now=now)


def _recipient(database: Database, told: Debit | Alert, *, other_wallet_id: UUID | None) -> Recipient:
    recipient = find_recipient(database, wallet_id=told.wallet_id, other_wallet_id=other_wallet_id)
    if recipient is None:
        raise NobodyToTellError(told.event_id)
    return recipient


def _send_to_phone(
    messenger: Messenger,
    told: Debit | Alert,
    recipient: Recipient,
    notices: Sequence[Notice],
    *,
    counted_as: str,
    now: datetime,
) -> Untold | None:
    """Sends the first of the notices within the day's cap, and the others behind it if that was the last place."""
    if recipient.phone is None:
        return Untold.PHONE_IS_ANOTHERS
    if not recipient.phone_is_proved:
        return Untold.PHONE_NOT_PROVED
    today = now.astimezone(INDIA)
    place = messenger.cap.take(counted_as, now=today)
    if place in (Place.PERSON_FULL, Place.ALL_FULL):
        return Untold(place.value)
    try:
        for notice in notices if place is Place.LAST else notices[:1]:
            _send(messenger, told, recipient.phone, notice)
    except ChannelUnavailableError:
        messenger.cap.give_back(counted_as, now=today)
        raise
    return None


def _send(messenger: Messenger, told: Debit | Alert, phone: str, notice: Notice) -> None:
    about = {"wallet_id": ids.show(ids.WALLET, told.wallet_id), "event_id": told.event_id, "type": told.type}
    messenger.notices.send(notice.text, template=notice.template, phone=phone, attributes=about)
