from enum import StrEnum


class GetTopUpsStatusType0(StrEnum):
    EXPIRED = "expired"
    FAILED = "failed"
    PENDING = "pending"
    REFUNDED = "refunded"
    SUCCEEDED = "succeeded"

    def __str__(self) -> str:
        return str(self.value)
