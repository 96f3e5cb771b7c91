from enum import StrEnum


class RowStatus(StrEnum):
    PAID = "paid"
    REFUSED = "refused"
    WAITING = "waiting"

    def __str__(self) -> str:
        return str(self.value)
