from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ResetBody")


@_attrs_define
class ResetBody:
    """POST /password-resets."""

    phone_proof: str
    """ The phone_proof of POST /phone-proofs/{id}, as text. """
    new_password: str
    """ A password of 8 to 128 characters, as text. """
    passkey: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        phone_proof = self.phone_proof

        new_password = self.new_password

        passkey: None | str | Unset
        if isinstance(self.passkey, Unset):
            passkey = UNSET
        else:
            passkey = self.passkey

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "phone_proof": phone_proof,
                "new_password": new_password,
            }
        )
        if passkey is not UNSET:
            field_dict["passkey"] = passkey

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        phone_proof = d.pop("phone_proof")

        new_password = d.pop("new_password")

        def _parse_passkey(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        passkey = _parse_passkey(d.pop("passkey", UNSET))

        reset_body = cls(
            phone_proof=phone_proof,
            new_password=new_password,
            passkey=passkey,
        )

        return reset_body
