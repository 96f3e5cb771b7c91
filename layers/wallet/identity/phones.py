"""Phone numbers, in E.164."""

import re

_DECORATION = re.compile(r"[ ().-]")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def normalise(text: str) -> str | None:
    """`+91 98765-43210` as `+919876543210`; None if it is no international number."""
    plain = _DECORATION.sub("", text)
    return plain if _E164.fullmatch(plain) else None
