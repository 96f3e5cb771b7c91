"""Operators: who they are, what each of their roles may command, and what takes two of them."""
