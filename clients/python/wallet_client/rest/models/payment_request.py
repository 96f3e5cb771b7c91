from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.payee import Payee
    from ..models.received_payment import ReceivedPayment


T = TypeVar("T", bound="PaymentRequest")


@_attrs_define
class PaymentRequest:
    """A request, and what was paid on it as far as the caller may know; to its maker how it is handed on, too."""

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
    payments: list[ReceivedPayment]
    code: str | Unset = UNSET
    svg: str | Unset = UNSET
    url: None | str | Unset = UNSET
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

        payments = []
        for payments_item_data in self.payments:
            payments_item = payments_item_data.to_dict()
            payments.append(payments_item)

        code = self.code

        svg = self.svg

        url: None | str | Unset
        if isinstance(self.url, Unset):
            url = UNSET
        else:
            url = self.url

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
                "payments": payments,
            }
        )
        if code is not UNSET:
            field_dict["code"] = code
        if svg is not UNSET:
            field_dict["svg"] = svg
        if url is not UNSET:
            field_dict["url"] = url

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.payee import Payee  # noqa: PLC0415
        from ..models.received_payment import ReceivedPayment  # noqa: PLC0415

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

        payments = []
        _payments = d.pop("payments")
        for payments_item_data in _payments:
            payments_item = ReceivedPayment.from_dict(payments_item_data)

            payments.append(payments_item)

        code = d.pop("code", UNSET)

        svg = d.pop("svg", UNSET)

        def _parse_url(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        url = _parse_url(d.pop("url", UNSET))

        payment_request = cls(
            id=id,
            status=status,
            amount=amount,
            currency=currency,
            description=description,
            to=to,
            created_at=created_at,
            expires_at=expires_at,
            payments=payments,
            code=code,
            svg=svg,
            url=url,
        )

        payment_request.additional_properties = d
        return payment_request

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
