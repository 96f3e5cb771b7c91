"""Cashfree: a thin client of its API and the reader of its webhooks."""
