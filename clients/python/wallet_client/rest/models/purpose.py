from enum import StrEnum


class Purpose(StrEnum):
    CHANGE_PHONE = "change_phone"
    REGISTER = "register"
    RESET_PASSWORD = "reset_password"
    SIGN_IN = "sign_in"
    UNFREEZE = "unfreeze"

    def __str__(self) -> str:
        return str(self.value)
