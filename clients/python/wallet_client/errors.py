"""How a request ends that has not done what it was to do."""

from wallet_client.rest.models import Problem


class RefusedError(Exception):
    """The API has said no, and nothing has moved. `code` is stable; what to do about each is in the documentation."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.detail}")
        self.problem = problem

    @property
    def code(self) -> str:
        """As in the documentation: `insufficient_funds`, `confirmation_required`, …"""
        return self.problem.code


class OutcomeUnknownError(Exception):
    """No answer has come that says whether it was done. It may have been.

    Make the same call with the same key again, later, in another process, after a restart: it is done once at most.
    """
