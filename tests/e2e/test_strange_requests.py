"""Requests that nobody would think of, made of the document by Schemathesis, the same ones each time."""

import pytest

from tests.fuzz.run import run
from tests.support.client import Api


@pytest.mark.parametrize("only", ["^/payments$", "^/holds/{id}/capture$"])
def test_every_answer_to_them_is_one_that_the_document_has(
    api: Api, only: str, capfd: pytest.CaptureFixture[str]
) -> None:
    done = run(api, seed=1, only=only)
    assert done.returncode == 0, capfd.readouterr().out[-6000:]
