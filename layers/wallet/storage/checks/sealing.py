"""Every transaction is sealed, or waits for that and not for long: what no signature is needed to see."""

from wallet.storage.checks.check import Check

CHECKS = (
    Check(
        "sealed_or_waiting",
        "every transaction has its seal, or is on the list of those that get one",
        "transaction",
        """
        SELECT HEX(t.id) AS id, t.type FROM transactions t LEFT JOIN seals s ON s.transaction_id = t.id
        LEFT JOIN unsealed u ON u.transaction_id = t.id
        WHERE (s.transaction_id IS NULL) = (u.transaction_id IS NULL)""",
    ),
    Check(
        "sealed_is_there",
        "whatever has a seal, or is to get one, is in the ledger",
        "transaction",
        """
        SELECT HEX(s.transaction_id) AS id, s.position FROM seals s LEFT JOIN transactions t ON t.id = s.transaction_id
        WHERE t.id IS NULL
        UNION ALL SELECT HEX(u.transaction_id), NULL FROM unsealed u
        LEFT JOIN transactions t ON t.id = u.transaction_id WHERE t.id IS NULL""",
    ),
    Check(
        "positions_without_gap",
        "seals and checkpoints are numbered without a gap, and every seal is under a checkpoint",
        "last",
        """
        SELECT s.last AS id, s.seals, c.last AS last_under_a_checkpoint, c.checkpoints
        FROM (SELECT COUNT(*) AS seals, COALESCE(MAX(position), 0) AS last FROM seals) s,
             (SELECT COUNT(*) AS checkpoints, COALESCE(MAX(number), 0) AS number,
                     COALESCE(MAX(last_position), 0) AS last FROM checkpoints) c
        WHERE s.seals <> s.last OR c.checkpoints <> c.number OR s.last <> c.last""",
    ),
)


# ruff: noqa: S608 - every query is made of constants and numbers
def timely_checks(*, patience_minutes: int, late_minutes: int) -> tuple[Check, ...]:
    """What depends on clocks: how long sealing may take, and how late a commit may be behind its own time."""
    return (
        Check(
            "sealed_soon",
            f"nothing waits longer than {patience_minutes} minutes for its seal",
            "transaction",
            f"""
            SELECT HEX(t.id) AS id, t.created_at FROM unsealed u JOIN transactions t ON t.id = u.transaction_id
            WHERE t.created_at < UTC_TIMESTAMP(6) - INTERVAL {patience_minutes:d} MINUTE""",
        ),
        Check(
            "published_soon",
            f"no checkpoint waits longer than {patience_minutes} minutes to be published",
            "checkpoint",
            f"""
            SELECT number AS id, sealed_at FROM checkpoints
            WHERE published_at IS NULL AND sealed_at < UTC_TIMESTAMP(6) - INTERVAL {patience_minutes:d} MINUTE""",
        ),
        # All that was there has its seal with the checkpoint: what waits now came later, and is dated so. By the last
        # thousand seals, not by the last checkpoint alone: each of a row of checkpoints could be dated a bit earlier.
        Check(
            "not_backdated",
            "nothing that waits for its seal is dated before what was sealed before it came",
            "transaction",
            f"""
            SELECT HEX(t.id) AS id, t.created_at FROM unsealed u JOIN transactions t ON t.id = u.transaction_id
            JOIN (SELECT MAX(LEAST(x.created_at, (SELECT c.sealed_at FROM checkpoints c
                                                  WHERE c.first_position <= s.position
                                                  ORDER BY c.number DESC LIMIT 1))) AS moment
                  FROM (SELECT * FROM seals ORDER BY position DESC LIMIT 1000) s
                  JOIN transactions x ON x.id = s.transaction_id) sealed
            WHERE t.created_at < sealed.moment - INTERVAL {late_minutes:d} MINUTE""",
        ),
    )
