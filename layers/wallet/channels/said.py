"""What AWS said when it did not do what it was asked for."""

from botocore.exceptions import BotoCoreError, ClientError


def said(error: BotoCoreError | ClientError) -> str:
    """The code of an answer, or the kind of trouble on the way: never the message, which may quote what was asked."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code"))
    return type(error).__name__
