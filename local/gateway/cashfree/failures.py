"""Cashfree's "no": a status and the documented error body."""

from local.gateway.failures import ApiError
from local.gateway.shapes import Json


class CashfreeError(ApiError):
    """Answered as `{"message", "code", "type"}`."""

    def __init__(self, message: str, *, status: int = 400, code: str, kind: str = "invalid_request_error") -> None:
        super().__init__(message, status=status)
        self._body: Json = {"message": message, "code": code, "type": kind}

    @property
    def body(self) -> Json:
        """What is answered."""
        return self._body


def invalid(name: str, rule: str) -> CashfreeError:
    """Answer a field that is wrong."""
    return CashfreeError(f"{name} : {rule}", code=f"{name}_invalid")
