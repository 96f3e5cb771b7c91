"""A refusal carries what the caller can do something with."""

import pytest

from wallet.ledger.refusals import Refusal, Refused


@pytest.mark.parametrize("refusal", Refusal)
def test_a_refusal_is_named_by_its_public_code_wherever_it_is_shown(refusal: Refusal) -> None:
    assert str(Refused(refusal)) == refusal.value


def test_a_refusal_keeps_what_it_was_given() -> None:
    refused = Refused(Refusal.TOO_MANY_ATTEMPTS, "Later.", retry_after_s=437, fields=(("phone", "Wrong."),))
    assert refused.refusal is Refusal.TOO_MANY_ATTEMPTS
    assert (refused.detail, refused.retry_after_s, refused.fields) == ("Later.", 437, (("phone", "Wrong."),))


def test_a_refusal_that_was_given_nothing_says_nothing_more() -> None:
    refused = Refused(Refusal.NOT_FOUND)
    assert (refused.detail, refused.retry_after_s, refused.fields) == (None, None, ())
