"""A payment by django-flutterwave-wallet: `transfer` between people, and `pay` to a merchant, as its README has them.

Neither asks Flutterwave anything: the money stays in the house.
"""

import secrets
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.models import Sum
from told import POSTGRESQL_SAYS, Peer, serve

_AMOUNT = "0.01"


class Flutterwave(Peer):
    """On PostgreSQL, which its documentation recommends; all of its settings are as it ships them."""

    def __init__(self, database: dict[str, Any]) -> None:
        settings.configure(
            SECRET_KEY=secrets.token_hex(32),
            INSTALLED_APPS=[
                "django.contrib.contenttypes",
                "django.contrib.auth",
                "rest_framework",
                "djmoney",
                "flutterwave_wallet",
            ],
            DATABASES={
                "default": {
                    "ENGINE": "django.db.backends.postgresql",
                    "HOST": database["host"],
                    "PORT": database["port"],
                    "USER": database["user"],
                    "PASSWORD": database["password"],
                    "NAME": database["database"],
                    "OPTIONS": {"sslmode": "verify-full", "sslrootcert": database["ca"]},
                    "CONN_MAX_AGE": None,
                }
            },
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            USE_TZ=True,
        )
        django.setup()
        # models can be imported from here on
        from flutterwave_wallet.models import Wallet  # noqa: PLC0415
        from flutterwave_wallet.services import WalletService  # noqa: PLC0415

        self._model = Wallet
        self._service = WalletService()
        self._wallets: dict[str, Any] = {}

    def lay(self, people: int, money: int) -> list[str]:
        call_command("migrate", verbosity=0)
        of_these = uuid.uuid4().hex
        users = [get_user_model().objects.create_user(f"{of_these}-{number}") for number in range(people + 1)]
        wallets = [self._service.get_wallet(user) for user in users]
        for wallet in wallets[:-1]:
            self._service.credit_wallet(wallet, Decimal(money) / 100)
        return [str(wallet.pk) for wallet in wallets]

    def open(self, wallets: Sequence[str]) -> None:
        found = self._model.objects.select_related("user").filter(pk__in=wallets)
        self._wallets = {str(wallet.pk): wallet for wallet in found}

    def pay(self, payer: str, payee: str, *, merchant: bool) -> None:
        if merchant:
            self._service.pay(self._wallets[payer], _AMOUNT, merchant_wallet=self._wallets[payee])
        else:
            self._service.transfer(self._wallets[payer], self._wallets[payee], _AMOUNT)

    def balance(self, wallets: Sequence[str]) -> int:
        total = self._model.objects.filter(pk__in=wallets).aggregate(total=Sum("balance"))["total"]
        return int(total * 100)

    def durability(self) -> str:
        with connection.cursor() as cursor:
            cursor.execute(POSTGRESQL_SAYS)
            return str(cursor.fetchone()[0])


if __name__ == "__main__":
    serve(Flutterwave)
