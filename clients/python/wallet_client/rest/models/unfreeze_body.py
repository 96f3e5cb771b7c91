from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="UnfreezeBody")


@_attrs_define
class UnfreezeBody:
    """POST /me/unfreeze."""

    phone_proof: str
    """ The phone_proof of POST /phone-proofs/{id}, as text. """

    def to_dict(self) -> dict[str, Any]:
        phone_proof = self.phone_proof

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "phone_proof": phone_proof,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        phone_proof = d.pop("phone_proof")

        unfreeze_body = cls(
            phone_proof=phone_proof,
        )

        return unfreeze_body
