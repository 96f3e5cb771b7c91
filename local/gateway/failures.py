"""The gateway's "no": a status and the documented error body."""

from local.gateway.shapes import Json


class ApiError(Exception):
    """Answered as `{"error": {"code", "description", "source", "step", "reason", "metadata", "field"?}}`."""

    def __init__(
        self,
        description: str,
        *,
        status: int = 400,
        code: str = "BAD_REQUEST_ERROR",
        field: str | None = None,
        reason: str = "input_validation_failed",
    ) -> None:
        super().__init__(description)
        self.status = status
        self._code = code
        self._field = field
        self._reason = reason

    @property
    def body(self) -> Json:
        """What is answered."""
        error: Json = {
            "code": self._code,
            "description": str(self),
            "source": "business",
            "step": "payment_initiation",
            "reason": self._reason,
            "metadata": {},
        }
        if self._field is not None:
            error["field"] = self._field
        return {"error": error}


def unauthorized() -> ApiError:
    """Answer a request without our key pair."""
    return ApiError("Authentication failed", status=401, reason="NA")


def unknown_id() -> ApiError:
    """Answer an id of nothing."""
    return ApiError("The id provided does not exist", reason="NA")


def unknown_url() -> ApiError:
    """Answer a URL of nothing."""
    return ApiError("There is nothing at this URL", status=404, reason="NA")
