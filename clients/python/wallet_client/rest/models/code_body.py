from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

from ..models.purpose import Purpose

T = TypeVar("T", bound="CodeBody")


@_attrs_define
class CodeBody:
    """POST /phone-proofs."""

    phone: str
    """ A phone number is international, like +919876543210, as text. """
    purpose: Purpose
    """ What a phone is proved for; a proof is good for nothing else. """

    def to_dict(self) -> dict[str, Any]:
        phone = self.phone

        purpose = self.purpose.value

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "phone": phone,
                "purpose": purpose,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        phone = d.pop("phone")

        purpose = Purpose(d.pop("purpose"))

        code_body = cls(
            phone=phone,
            purpose=purpose,
        )

        return code_body
