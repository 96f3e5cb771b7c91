"""Names that strangers would trust: of this product, of gateways and banks, of offices and of whoever helps.

They are for those whom an operator has approved. A list is never whole; it holds what people are deceived with.
"""

import re
from collections.abc import Iterator
from functools import cache

from wallet.ledger import characters
from wallet.ledger.characters import MARK

# Words that are reserved wherever they stand by themselves.
_WORDS = """
wallet razorpay razorpayx cashfree payu juspay billdesk ccavenue paypal paytm phonepe gpay mobikwik freecharge bhimupi
stripe mastercard rupay upi npci rbi sebi uidai aadhaar aadhar irdai epfo nbfc sbi hdfc icici idfc pnb
bank banks banking support helpdesk helpline helpcenter helpcentre official officials kyc ekyc ckyc verify verified
verification admin admins administrator moderator ombudsman grievance refund refunds chargeback cashback
government govt ministry police
बैंक बँक केवाईसी आधिकारिक सरकारी पेटीएम फोनपे रेजरपे
"""

# What is reserved within other words too, blanks left out: long enough that nobody is called so by chance.
_PARTS = """
razorpay cashfree phonepe googlepay amazonpay applepay mobikwik freecharge mastercard bhimupi reservebank statebank
kotakmahindra bankofindia customercare customersupport customerservice helpdesk techsupport nodalofficer incometax
governmentof govtof
"""

# Digits that are read as letters, and letters that are read as others.
_READ_AS = str.maketrans("013457i", "oleastl")
_WORD = re.compile(r"[^ .,'’&()/+·-]+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[A-Z][a-z])")  # RazorpaySupport, HDFCBank
# The dots under Indian letters that make another sound of them; what is read is the same word.
_NUKTAS = "\u093c\u09bc\u0a3c\u0abc\u0b3c\u0cbc"
# Of words of so many letters nobody's names are parts by chance: `Pay TM`, `Supp ort`.
_SPLIT_MIN = 4
_AROUND = re.compile(r"^[0-9]+|[0-9]+$")


def is_reserved(name: str) -> bool:
    """Whether a name has a reserved word, however it is dressed up: lookalikes, marks, digits, blanks, capitals."""
    plain = _plain(name)
    words, parts = _reserved()
    for text in (plain, _HUMP.sub(" ", plain)):
        found = _WORD.findall(text.lower())
        if any(_read(word) in words or _read(_AROUND.sub("", word)) in words for word in found):
            return True
        if any(letters in words for letters in (*_spelled_out(found), *_joined(found))):
            return True
    squashed = _read("".join(_WORD.findall(plain.lower())))
    return any(part in squashed for part in parts)


@cache
def _reserved() -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(_read(_plain(word)) for word in _WORDS.split()), frozenset(map(_read, _PARTS.split()))


def _plain(text: str) -> str:
    """The text in Latin letters where it looks like them, without marks that stand over any script's letters."""
    shown = [
        sign
        for sign in characters.decomposed(text)
        if sign not in characters.JOINERS
        and sign not in _NUKTAS
        and (characters.kind_of(sign) != MARK or characters.script_of(sign))
    ]
    return "".join(shown).translate(characters.lookalikes())


def _read(word: str) -> str:
    return word.translate(_READ_AS).replace("rn", "m").replace("vv", "w")


def _spelled_out(words: list[str]) -> list[str]:
    """What letters that stand by themselves come to: `R.B.I.` and `s u p p o r t`."""
    text = " ".join(word if len(word) == 1 else "/" for word in words)
    return [_read(run.replace(" ", "")) for run in text.split("/")]


def _joined(words: list[str]) -> Iterator[str]:
    """What words come to that stand side by side, if that is long enough."""
    for first in range(len(words)):
        for last in range(first + 2, len(words) + 1):
            letters = _read("".join(words[first:last]))
            if len(letters) >= _SPLIT_MIN:
                yield letters
