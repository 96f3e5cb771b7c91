"""What is used of quotas."""

from wallet.storage.database import Database


def sweep_quotas(database: Database) -> None:
    """Forgets windows that have ended."""
    database.call("sweep_quotas")
