"""Phone numbers: in as people write them, out in E.164, one spelling for one line.

The plans of numbers are Google's (libphonenumber). A number is taken if a country of its calling code could have it:
length and first digits, not whether somebody has assigned the range yet. The library takes a tenth of a second to
import, so who reads no number, or one as most requests have it, goes without (docs/decisions/0034).
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

#: No country: numbers are written with their calling code then. The code is CLDR's, and the library's.
NO_REGION = "ZZ"
#: The longest text that is looked at.
MAX_LENGTH = 32
#: What somebody is told whose number isn't one.
NO_PHONE = "A phone number is one that its country could have, with the calling code, like +919876543210."

# What contacts, web pages and keyboards of other scripts put in the place of a plain sign, or around it.
_PLAIN = str.maketrans(
    dict.fromkeys("\u00ad\u061c\u200b\u200e\u200f\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    | dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " ")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | {chr(0xFEE0 + ord(sign)): sign for sign in "0123456789+-()./"}  # the full-width ones
)
_DECORATION = str.maketrans(dict.fromkeys(" ().-/"))
_DIGITS = re.compile(r"\+?[0-9]{4,20}")
# An Indian mobile number in E.164: what nearly everybody sends. The plan's rule comes to the same, and a test says so.
_INDIAN_MOBILE = re.compile(r"\+91[6-9][0-9]{9}")

_FORMER_DECORATION = str.maketrans(dict.fromkeys(" ().-"))
_FORMER = re.compile(r"\+[1-9][0-9]{6,14}")


def read(text: str, *, region: str) -> str | None:
    """The number in E.164, None if it can't be one.

    `+91 (0) 98765-43210`, `0091 98765 43210`, `tel:+919876543210` and, where `region` is IN, `98765 43210` are all
    `+919876543210`.
    """
    if _INDIAN_MOBILE.fullmatch(text):
        return text
    if len(text) > MAX_LENGTH:
        return None
    plain = text.translate(_PLAIN).strip(" ")
    if plain[:4].lower() == "tel:":
        plain = plain[4:]
    plain = plain.translate(_DECORATION)
    if plain.startswith("00"):
        plain = f"+{plain[2:]}"
    return _by_plan(plain, region) if _DIGITS.fullmatch(plain) else None


def region_of(number: str) -> str:
    """The country (ISO 3166) of a number in E.164, `NO_REGION` if it can't be told."""
    if _INDIAN_MOBILE.fullmatch(number):
        return "IN"
    from phonenumbers import parse, region_code_for_number  # noqa: PLC0415 - as below

    return region_code_for_number(parse(number, None)) or NO_REGION


@dataclass(frozen=True, slots=True)
class SignInPhone:
    """What somebody who signs in may have been registered with: the number, and how it was spelled before.

    Numbers were once taken digit by digit as they were written. One that is registered like that (a trunk zero kept,
    too short for its country) stays its owner's to sign in with. One of the two is there.
    """

    number: str | None
    former: str | None

    @property
    def spellings(self) -> tuple[str, ...]:
        """Both, the number first."""
        return tuple(phone for phone in (self.number, self.former) if phone is not None)


def read_sign_in(text: str, *, region: str) -> SignInPhone | None:
    """The number of somebody who signs in, None if it never was one."""
    number = read(text, region=region)
    former = text.translate(_FORMER_DECORATION) if len(text) <= MAX_LENGTH else ""
    if not _FORMER.fullmatch(former) or former == number:
        return None if number is None else SignInPhone(number, None)
    return SignInPhone(number, former)


def _by_plan(digits: str, region: str) -> str | None:
    from phonenumbers import (  # noqa: PLC0415 - who reads no number doesn't wait for it
        NumberParseException,
        PhoneNumberFormat,
        format_number,
        parse,
    )

    try:
        number = parse(digits, region)
    except NumberParseException:
        return None
    if not _is_possible(number) or not (digits.startswith("+") or _is_of(number, region)):
        return None
    return format_number(number, PhoneNumberFormat.E164)


def _is_possible(number: "PhoneNumber") -> bool:
    """Whether a country of the calling code could have it. What is shared, such as +1, is shared by several."""
    from phonenumbers import (  # noqa: PLC0415 - as above
        PhoneMetadata,
        national_significant_number,
        region_codes_for_country_code,
    )

    code = number.country_code or 0
    digits = national_significant_number(number)
    for region in region_codes_for_country_code(code):
        plan = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
        form = plan.general_desc if plan is not None else None
        if form is None or form.national_number_pattern is None or len(digits) not in form.possible_length:
            continue
        if re.fullmatch(form.national_number_pattern, digits):
            return True
    return False


def _is_of(number: "PhoneNumber", region: str) -> bool:
    """Whether it is as long as the region's mobile numbers are (ten digits in India), if it says no country itself."""
    from phonenumbers import PhoneMetadata, national_significant_number  # noqa: PLC0415 - as above

    plan = PhoneMetadata.metadata_for_region(region, None)
    if plan is None or plan.mobile is None or number.country_code != plan.country_code:
        return False
    return len(national_significant_number(number)) in plan.mobile.possible_length
