from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.proof_options_body_purpose import ProofOptionsBodyPurpose

T = TypeVar("T", bound="ProofOptionsBody")


@_attrs_define
class ProofOptionsBody:
    """POST /passkey-proofs/options."""

    purpose: ProofOptionsBodyPurpose
    """ One of sign_in and reset_password. """

    def to_dict(self) -> dict[str, Any]:
        purpose = self.purpose.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "purpose": purpose,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        purpose = ProofOptionsBodyPurpose(d.pop("purpose"))

        proof_options_body = cls(
            purpose=purpose,
        )

        return proof_options_body
