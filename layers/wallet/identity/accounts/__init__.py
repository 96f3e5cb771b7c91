"""Accounts: who is registered with which phone and password, and the freeze that is their owner's own."""
