"""How a request ends that has not done what it was to do."""

from datetime import datetime

from wallet_client.rest.models import Problem


class RefusedError(Exception):
    """The API has said no: nothing has moved, and no earlier attempt can still arrive.

    `code` is stable; what to do about each is in the documentation.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.detail}")
        self.problem = problem

    @property
    def code(self) -> str:
        """As in the documentation: `insufficient_funds`, `confirmation_required`, …"""
        return self.problem.code


class OutcomeUnknownError(Exception):
    """Nobody knows yet whether it was done: no answer has come, or an attempt before a refusal may still arrive.

    Keep the key and `until`, and make the same call again, later, in another process, after a restart, with `until` as
    `unknown_until`: it is done once at most. From `until` (aware, UTC) on no attempt that was lost can arrive any more,
    and a refusal is a RefusedError. `problem` is what the last attempt was refused for, if it was: a person can confirm
    or top up meanwhile.
    """

    def __init__(self, until: datetime, problem: Problem | None = None) -> None:
        refused = "" if problem is None else f" (refused last: {problem.code})"
        super().__init__(f"the outcome is not known: ask again with the same key{refused}")
        self.until = until
        self.problem = problem
