from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..models.register_body_kind import RegisterBodyKind
from ..types import UNSET, Unset

T = TypeVar("T", bound="RegisterBody")


@_attrs_define
class RegisterBody:
    """POST /register."""

    phone_proof: str
    """ The phone_proof of POST /phone-proofs/{id}, as text. """
    phone: str
    """ A phone number is international, like +919876543210, as text. """
    name: str
    """ A name of 1 to 100 characters, as text. """
    password: str
    """ A password of 8 to 128 characters, as text. """
    email: None | str | Unset = UNSET
    kind: RegisterBodyKind | Unset = RegisterBodyKind.PERSONAL
    replace: bool | Unset = False

    def to_dict(self) -> dict[str, Any]:
        phone_proof = self.phone_proof

        phone = self.phone

        name = self.name

        password = self.password

        email: None | str | Unset
        if isinstance(self.email, Unset):
            email = UNSET
        else:
            email = self.email

        kind: str | Unset = UNSET
        if not isinstance(self.kind, Unset):
            kind = self.kind.value

        replace = self.replace

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "phone_proof": phone_proof,
                "phone": phone,
                "name": name,
                "password": password,
            }
        )
        if email is not UNSET:
            field_dict["email"] = email
        if kind is not UNSET:
            field_dict["kind"] = kind
        if replace is not UNSET:
            field_dict["replace"] = replace

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        phone_proof = d.pop("phone_proof")

        phone = d.pop("phone")

        name = d.pop("name")

        password = d.pop("password")

        def _parse_email(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        email = _parse_email(d.pop("email", UNSET))

        _kind = d.pop("kind", UNSET)
        kind: RegisterBodyKind | Unset
        if isinstance(_kind, Unset):
            kind = UNSET
        else:
            kind = RegisterBodyKind(_kind)

        replace = d.pop("replace", UNSET)

        register_body = cls(
            phone_proof=phone_proof,
            phone=phone,
            name=name,
            password=password,
            email=email,
            kind=kind,
            replace=replace,
        )

        return register_body
