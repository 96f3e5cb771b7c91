from enum import StrEnum


class PartySide(StrEnum):
    PAYEE = "payee"
    PAYER = "payer"

    def __str__(self) -> str:
        return str(self.value)
