"""QR codes: of UPI links, of wallets that want to be paid, and of requests to pay."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from uuid import UUID

from wallet.ledger import ids

_WALLET = "wallet:"
_PAYMENT_REQUEST = "payment-request:"
# Modules of light around a code (ISO/IEC 18004 asks for four), and pixels of a module where nobody scales it.
_QUIET_ZONE = 4
_MODULE = 4


def svg(text: str) -> str:
    """The QR code of a text, unaltered, as an SVG image.

    It brings its own light field, with the quiet zone that readers need, so that it is read on a dark page too; it
    scales as a whole; and its squares are crisp, and as few as can be, so that it is read when it is small. Hence error
    correction L, or as much more as costs no square: nothing on a screen is torn or dirty.
    """
    import segno  # noqa: PLC0415 - only who draws pays for it, not everybody who reads a code

    code = segno.make(text, error="l", boost_error=True, micro=False)
    rows = [bytes(row) for row in code.matrix_iter(border=_QUIET_ZONE)]
    side = len(rows)
    dark = "".join(_dark_runs(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side * _MODULE}" height="{side * _MODULE}" '
        f'viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="#000" d="{dark}"/></svg>'
    )


def _dark_runs(rows: Sequence[bytes]) -> Iterator[str]:
    """A rectangle for each run of dark modules in a row."""
    for y, row in enumerate(rows):
        x = 0
        for is_dark, run in groupby(row):
            size = len(list(run))
            if is_dark:
                yield f"M{x} {y}h{size}v1h-{size}z"
            x += size


def payment_request_code(payment_request_id: UUID, origin: str) -> tuple[str, str | None]:
    """What the code of a payment request says, and its link: that itself, where there is a site to open it on.

    Its id stands behind a #, so that it reaches no log on the way.
    """
    shown = ids.show(ids.PAYMENT_REQUEST, payment_request_id)
    link = f"{origin}/pay#{shown}" if origin else None
    return link or _PAYMENT_REQUEST + shown, link


def read_payment_request_code(text: str) -> UUID | None:
    """The payment request that a code, a link or an id names, None if it is none of these."""
    code = text.strip().rpartition("#")[2]
    return ids.read(ids.PAYMENT_REQUEST, code.removeprefix(_PAYMENT_REQUEST))


def wallet_code(wallet_id: UUID) -> str:
    """What the QR code of a wallet says; a payer's app sends it on as `to.qr`, as it is."""
    return _WALLET + ids.show(ids.WALLET, wallet_id)


def read_wallet_code(text: str) -> UUID | None:
    """The wallet that a code names, None if it is no such code. Scanners add blanks and ends of lines around it."""
    code = text.strip()
    return ids.read(ids.WALLET, code.removeprefix(_WALLET)) if code.startswith(_WALLET) else None
