"""Cashfree's protocol, over the same book of orders: its own paths, words, amounts and signature."""
