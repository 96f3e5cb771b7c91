from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.passkey_body_credential import PasskeyBodyCredential


T = TypeVar("T", bound="PasskeyBody")


@_attrs_define
class PasskeyBody:
    """POST /passkeys."""

    name: str
    """ What you call it: a text of at most 64 characters. """
    credential: PasskeyBodyCredential
    """ What navigator.credentials gave, as its toJSON() has it: an object. """

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        credential = self.credential.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "credential": credential,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.passkey_body_credential import PasskeyBodyCredential  # noqa: PLC0415

        d = dict(src_dict)
        name = d.pop("name")

        credential = PasskeyBodyCredential.from_dict(d.pop("credential"))

        passkey_body = cls(
            name=name,
            credential=credential,
        )

        return passkey_body
