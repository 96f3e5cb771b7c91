from enum import StrEnum


class RequestStatus(StrEnum):
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    OPEN = "open"
    PAID = "paid"

    def __str__(self) -> str:
        return str(self.value)
