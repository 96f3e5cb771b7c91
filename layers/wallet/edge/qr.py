"""QR codes: of UPI links, and of wallets that want to be paid."""

import io
from uuid import UUID

from wallet.ledger import ids

_WALLET = "wallet:"


def svg(text: str) -> str:
    """The QR code of a text, unaltered, as an SVG image; error correction M, as UPI apps expect of screens."""
    import segno  # noqa: PLC0415 - only who draws pays for it, not everybody who reads a code

    out = io.BytesIO()
    segno.make(text, error="m", micro=False).save(out, kind="svg", xmldecl=False, scale=4)
    return out.getvalue().decode()


def wallet_code(wallet_id: UUID) -> str:
    """What the QR code of a wallet says; a payer's app sends it on as `to.qr`, as it is."""
    return _WALLET + ids.show(ids.WALLET, wallet_id)


def read_wallet_code(text: str) -> UUID | None:
    """The wallet that a code names, None if it is no such code."""
    return ids.read(ids.WALLET, text.removeprefix(_WALLET)) if text.startswith(_WALLET) else None
