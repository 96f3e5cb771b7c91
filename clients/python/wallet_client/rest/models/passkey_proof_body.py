from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from ..models.passkey_proof_body_purpose import PasskeyProofBodyPurpose

if TYPE_CHECKING:
    from ..models.passkey_proof_body_passkey import PasskeyProofBodyPasskey


T = TypeVar("T", bound="PasskeyProofBody")


@_attrs_define
class PasskeyProofBody:
    """POST /passkey-proofs."""

    purpose: PasskeyProofBodyPurpose
    """ One of sign_in and reset_password. """
    passkey: PasskeyProofBodyPasskey
    """ What navigator.credentials gave, as its toJSON() has it: an object. """

    def to_dict(self) -> dict[str, Any]:
        purpose = self.purpose.value

        passkey = self.passkey.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "purpose": purpose,
                "passkey": passkey,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.passkey_proof_body_passkey import PasskeyProofBodyPasskey  # noqa: PLC0415

        d = dict(src_dict)
        purpose = PasskeyProofBodyPurpose(d.pop("purpose"))

        passkey = PasskeyProofBodyPasskey.from_dict(d.pop("passkey"))

        passkey_proof_body = cls(
            purpose=purpose,
            passkey=passkey,
        )

        return passkey_proof_body
