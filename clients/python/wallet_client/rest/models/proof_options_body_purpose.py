from enum import StrEnum


class ProofOptionsBodyPurpose(StrEnum):
    RESET_PASSWORD = "reset_password"
    SIGN_IN = "sign_in"

    def __str__(self) -> str:
        return str(self.value)
