"""The checkpoint before another one, as it is kept: what the other one must follow from."""

from wallet.channels.evidence import Archive, Signer
from wallet.ledger.checkpoints import object_key
from wallet.ledger.evidence import Published, UnreadableObjectError, read_published
from wallet.ledger.signatures import read_public_key


class ForegoingError(Exception):
    """There should be a checkpoint before it, and what is kept under that name is none: a person must look."""


def foregoing(archive: Archive, signer: Signer, number: int) -> Published | None:
    """The checkpoint before `number`, from where it is kept and with its signature verified; the first one has none.

    Raises ForegoingError, and EvidenceUnavailableError.
    """
    if number == 1:
        return None
    name = f"checkpoint {number - 1}, which it must follow from,"
    content = archive.kept(object_key(number - 1))
    if content is None:
        raise ForegoingError(f"{name} is not kept where checkpoints are (after a restore: under the new prefix)")
    try:
        published = read_published(content)
    except UnreadableObjectError as error:
        raise ForegoingError(f"{name} is kept as something else: {error}") from error
    fault = published.fault(number - 1, read_public_key(signer.public_key()))
    if fault is not None:
        raise ForegoingError(f"{name} is not to be believed: {fault}")
    return published
