from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="NewPhoneBody")


@_attrs_define
class NewPhoneBody:
    """POST /me/phone: the proof is of the new phone."""

    phone_proof: str
    """ The phone_proof of POST /phone-proofs/{id}, as text. """
    password: str
    """ The password, as text. """

    def to_dict(self) -> dict[str, Any]:
        phone_proof = self.phone_proof

        password = self.password

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "phone_proof": phone_proof,
                "password": password,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        phone_proof = d.pop("phone_proof")

        password = d.pop("password")

        new_phone_body = cls(
            phone_proof=phone_proof,
            password=password,
        )

        return new_phone_body
