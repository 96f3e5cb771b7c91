from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.payee import Payee


T = TypeVar("T", bound="ListedPaymentRequest")


@_attrs_define
class ListedPaymentRequest:
    """What somebody asks for; `amount` null: as much and as often as payers like."""

    id: str
    status: str
    """ open, paid, expired, cancelled; ready for others. """
    amount: int | None
    currency: str
    """ INR; ready for others. """
    description: None | str
    to: Payee
    """ Who would be paid; `merchant` is an approved one. """
    created_at: datetime.datetime
    """ RFC 3339, in UTC, to the millisecond. """
    expires_at: datetime.datetime
    """ RFC 3339, in UTC, to the millisecond. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        status = self.status

        amount: int | None
        amount = self.amount

        currency = self.currency

        description: None | str
        description = self.description

        to = self.to.to_dict()

        created_at = self.created_at.isoformat()

        expires_at = self.expires_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "status": status,
                "amount": amount,
                "currency": currency,
                "description": description,
                "to": to,
                "created_at": created_at,
                "expires_at": expires_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.payee import Payee  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        status = d.pop("status")

        def _parse_amount(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        amount = _parse_amount(d.pop("amount"))

        currency = d.pop("currency")

        def _parse_description(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        description = _parse_description(d.pop("description"))

        to = Payee.from_dict(d.pop("to"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        listed_payment_request = cls(
            id=id,
            status=status,
            amount=amount,
            currency=currency,
            description=description,
            to=to,
            created_at=created_at,
            expires_at=expires_at,
        )

        listed_payment_request.additional_properties = d
        return listed_payment_request

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
