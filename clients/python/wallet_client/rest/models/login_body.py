from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="LoginBody")


@_attrs_define
class LoginBody:
    """POST /login and POST /session.

    A password of any length is checked: a limit would tell something of the stored one.

    """

    phone: str
    """ A phone number is international, like +919876543210, as text. """
    password: str
    """ The password, as text. """
    phone_proof: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        phone = self.phone

        password = self.password

        phone_proof: None | str | Unset
        if isinstance(self.phone_proof, Unset):
            phone_proof = UNSET
        else:
            phone_proof = self.phone_proof

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "phone": phone,
                "password": password,
            }
        )
        if phone_proof is not UNSET:
            field_dict["phone_proof"] = phone_proof

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        phone = d.pop("phone")

        password = d.pop("password")

        def _parse_phone_proof(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        phone_proof = _parse_phone_proof(d.pop("phone_proof", UNSET))

        login_body = cls(
            phone=phone,
            password=password,
            phone_proof=phone_proof,
        )

        return login_body
