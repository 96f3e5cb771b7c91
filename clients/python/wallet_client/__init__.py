"""The wallet's API for Python.

`wallet_client.rest` is made of the API's document: a function for each route, a class for each body and answer.
What is here makes it safe to use with money: `Wallet` repeats a request whose answer was lost, under the same key,
until its outcome is known, and keeps its tokens fresh.
"""

from wallet_client.errors import OutcomeUnknownError, RefusedError
from wallet_client.keys import new_key
from wallet_client.until_known import until_known
from wallet_client.wallet import Wallet

__all__ = ["OutcomeUnknownError", "RefusedError", "Wallet", "new_key", "until_known"]
