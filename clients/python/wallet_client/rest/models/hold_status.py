from enum import StrEnum


class HoldStatus(StrEnum):
    CAPTURED = "captured"
    EXPIRED = "expired"
    PLACED = "placed"
    RELEASED = "released"

    def __str__(self) -> str:
        return str(self.value)
