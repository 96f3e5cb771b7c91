from enum import StrEnum


class WithdrawalStatus(StrEnum):
    FAILED = "failed"
    PENDING = "pending"
    REVERSED = "reversed"
    SUCCEEDED = "succeeded"

    def __str__(self) -> str:
        return str(self.value)
