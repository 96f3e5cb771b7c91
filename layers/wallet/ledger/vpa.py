"""UPI addresses (VPAs) of people who are paid out: read strictly, kept in lower case, shown masked.

There is no published grammar of NPCI's. This is what the ones in use have in common: a name of ASCII letters, digits
and `. - _`, one `@`, and a handle of letters and digits that begins with a letter. 100 characters is the payout
provider's limit (https://razorpay.com/docs/api/x/payout-composite/create/vpa); what else it doesn't like, it rejects.
"""

import re

MAX_LENGTH = 100

_VPA = re.compile(r"[a-z0-9][a-z0-9._-]+@[a-z][a-z0-9]+")


def read(text: str) -> str | None:
    """The address in lower case, or None if it can't be one. Addresses don't care for case."""
    # before lowering: the Kelvin sign, for one, would become the letter k
    if len(text) > MAX_LENGTH or not text.isascii():
        return None
    lower = text.lower()
    return lower if _VPA.fullmatch(lower) else None


def mask(address: str) -> str:
    """The address as it may be shown, `as***@okbank`: enough for its owner to know it, too little for anybody else."""
    name, _, handle = address.partition("@")
    shown = 2 if len(name) >= 4 else 1
    return f"{name[:shown]}***@{handle}"
