"""The outside money: one port, and an adapter for each gateway behind it."""
