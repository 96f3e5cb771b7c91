"""Confirmations: the second factor for what moves much money out, or to somewhere new."""
