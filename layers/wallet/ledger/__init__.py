"""The rules of money, as plain values: no database, no network, no clock, no environment."""
