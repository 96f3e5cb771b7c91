"""Telling a person that money left their wallet."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from wallet.channels.port import Cap, ChannelUnavailableError, Notices, Place
from wallet.ledger import ids
from wallet.ledger.notices import Debit, Notice, Sender, debit_notice, pause_notice
from wallet.ledger.periods import INDIA
from wallet.storage.database import Database
from wallet.storage.recipients import find_recipient
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
    recipient = find_recipient(database, wallet_id=debit.wallet_id, other_wallet_id=debit.other_wallet_id)
    state = find_wallet(database, user_id=recipient.user_id) if recipient else None
    if recipient is None or state is None:
        raise NobodyToTellError(debit.event_id)
    notice = debit_notice(debit, recipient, messenger.sender, available=state.balance.available)
    if not messenger.notices.goes_to_phones:
        _send(messenger, debit, "", notice)
        return None
    if recipient.phone is None:
        return Untold.PHONE_IS_ANOTHERS
    if not recipient.phone_is_proved:
        return Untold.PHONE_NOT_PROVED
    person = ids.show(ids.USER, recipient.user_id)
    return _send_within_cap(messenger, debit, person, recipient.phone, notice, now=now.astimezone(INDIA))


def _send_within_cap(
    messenger: Messenger, debit: Debit, person: str, phone: str, notice: Notice, *, now: datetime
) -> Untold | None:
    place = messenger.cap.take(person, now=now)
    if place in (Place.PERSON_FULL, Place.ALL_FULL):
        return Untold(place.value)
    try:
        _send(messenger, debit, phone, notice)
        if place is Place.LAST:
            _send(messenger, debit, phone, pause_notice(messenger.sender, notices=messenger.per_person))
    except ChannelUnavailableError:
        messenger.cap.give_back(person, now=now)
        raise
    return None


def _send(messenger: Messenger, debit: Debit, phone: str, notice: Notice) -> None:
    about = {"wallet_id": ids.show(ids.WALLET, debit.wallet_id), "event_id": debit.event_id, "type": debit.type}
    messenger.notices.send(notice.text, template=notice.template, phone=phone, attributes=about)
