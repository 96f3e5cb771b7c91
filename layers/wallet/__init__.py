"""A stored-value wallet: every credit and debit an immutable transaction in a double-entry ledger."""
