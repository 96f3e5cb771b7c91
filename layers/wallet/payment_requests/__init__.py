"""Requests for money: a link or a code that the payer opens and confirms."""
