"""What an audit finds: what is at fault, by name."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that breaks a promise. `code` is the promise's or says what was done to it, `names` says what `id` is.

    An id is hexadecimal, a currency or a checkpoint's number; `told` is what else is known of it.
    """

    code: str
    names: str
    id: str
    told: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.names} {self.id}{self.told and f' ({self.told})'}"
