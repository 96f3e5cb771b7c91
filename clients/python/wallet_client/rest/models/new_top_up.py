from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.new_top_up_checkout import NewTopUpCheckout
    from ..models.upi import Upi


T = TypeVar("T", bound="NewTopUp")


@_attrs_define
class NewTopUp:
    """A top-up that waits to be paid; `checkout` is what the gateway's own checkout needs."""

    id: str
    status: str
    """ pending, failed, expired, succeeded, refunded; ready for others. """
    amount: int
    """ Minor units (paise). """
    currency: str
    """ INR; ready for others. """
    gateway: str
    gateway_order_id: None | str
    created_at: datetime.datetime
    """ RFC 3339, in UTC, to the millisecond. """
    expires_at: datetime.datetime
    """ RFC 3339, in UTC, to the millisecond. """
    checkout: NewTopUpCheckout
    upi: Upi | Unset = UNSET
    """ How to pay by a UPI app: the gateway's own link, unaltered, and its picture. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        status = self.status

        amount = self.amount

        currency = self.currency

        gateway = self.gateway

        gateway_order_id: None | str
        gateway_order_id = self.gateway_order_id

        created_at = self.created_at.isoformat()

        expires_at = self.expires_at.isoformat()

        checkout = self.checkout.to_dict()

        upi: dict[str, Any] | Unset = UNSET
        if not isinstance(self.upi, Unset):
            upi = self.upi.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "status": status,
                "amount": amount,
                "currency": currency,
                "gateway": gateway,
                "gateway_order_id": gateway_order_id,
                "created_at": created_at,
                "expires_at": expires_at,
                "checkout": checkout,
            }
        )
        if upi is not UNSET:
            field_dict["upi"] = upi

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.new_top_up_checkout import NewTopUpCheckout  # noqa: PLC0415
        from ..models.upi import Upi  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        status = d.pop("status")

        amount = d.pop("amount")

        currency = d.pop("currency")

        gateway = d.pop("gateway")

        def _parse_gateway_order_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        gateway_order_id = _parse_gateway_order_id(d.pop("gateway_order_id"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        checkout = NewTopUpCheckout.from_dict(d.pop("checkout"))

        _upi = d.pop("upi", UNSET)
        upi: Upi | Unset
        if isinstance(_upi, Unset):
            upi = UNSET
        else:
            upi = Upi.from_dict(_upi)

        new_top_up = cls(
            id=id,
            status=status,
            amount=amount,
            currency=currency,
            gateway=gateway,
            gateway_order_id=gateway_order_id,
            created_at=created_at,
            expires_at=expires_at,
            checkout=checkout,
            upi=upi,
        )

        new_top_up.additional_properties = d
        return new_top_up

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
