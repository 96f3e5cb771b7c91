"""What callers are told of a balance."""

from wallet.ledger.receipts import Balance


def test_what_is_held_is_not_available() -> None:
    assert Balance(total=100, held=30).available == 70
