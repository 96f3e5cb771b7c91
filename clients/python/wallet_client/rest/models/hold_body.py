from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.payee_ref import PayeeRef


T = TypeVar("T", bound="HoldBody")


@_attrs_define
class HoldBody:
    """POST /holds. `expires_in` is in seconds: a week if absent, 30 days at most."""

    to: PayeeRef
    """ Who is paid, or looked up: by wallet, by phone, or by what the wallet's QR code says. """
    amount: int
    """ Minor units (paise). """
    expires_in: int | Unset = 604800
    """ A whole number of seconds from 1 to 2592000 (30 days), as a JSON number. """
    description: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        to = self.to.to_dict()

        amount = self.amount

        expires_in = self.expires_in

        description: None | str | Unset
        if isinstance(self.description, Unset):
            description = UNSET
        else:
            description = self.description

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "to": to,
                "amount": amount,
            }
        )
        if expires_in is not UNSET:
            field_dict["expires_in"] = expires_in
        if description is not UNSET:
            field_dict["description"] = description

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.payee_ref import PayeeRef  # noqa: PLC0415

        d = dict(src_dict)
        to = PayeeRef.from_dict(d.pop("to"))

        amount = d.pop("amount")

        expires_in = d.pop("expires_in", UNSET)

        def _parse_description(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        description = _parse_description(d.pop("description", UNSET))

        hold_body = cls(
            to=to,
            amount=amount,
            expires_in=expires_in,
            description=description,
        )

        return hold_body
