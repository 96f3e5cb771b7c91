"""What several checks are made of."""

#: A posting's amount as the balance of its account feels it.
SIGNED = "CASE WHEN p.side = 'credit' THEN p.amount ELSE -p.amount END"

#: A wallet's rows: its own, which is slot 0, and the further ones of a hot one.
ROWS = """(
    SELECT id, 0 AS slot, balance, entries, last_entry_at FROM wallets
    UNION ALL SELECT wallet_id, slot, balance, entries, last_entry_at FROM wallet_slots)"""


def hex_in(column: str, name: str) -> str:
    """The id that a JSON text has under a name; NULL of a text that is none, which MySQL would fail over."""
    text = f"CASE WHEN JSON_VALID({column}) THEN JSON_EXTRACT({column}, '$.{name}') END"
    return f"CAST(UNHEX(JSON_UNQUOTE({text})) AS BINARY(16))"
