from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Withdrawal")


@_attrs_define
class Withdrawal:
    """A withdrawal as it stands; `reason` says why it failed or was reversed."""

    id: str
    status: str
    """ pending, succeeded, failed, reversed; ready for others. """
    amount: int
    """ Minor units (paise). """
    fee: int
    """ Minor units (paise). """
    currency: str
    """ INR; ready for others. """
    vpa: str
    """ Masked. """
    created_at: datetime.datetime
    """ RFC 3339, in UTC, to the millisecond. """
    utr: None | str
    waits_until: datetime.datetime | Unset = UNSET
    """ RFC 3339, in UTC, to the millisecond. """
    reason: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        status = self.status

        amount = self.amount

        fee = self.fee

        currency = self.currency

        vpa = self.vpa

        created_at = self.created_at.isoformat()

        utr: None | str
        utr = self.utr

        waits_until: str | Unset = UNSET
        if not isinstance(self.waits_until, Unset):
            waits_until = self.waits_until.isoformat()

        reason = self.reason

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "status": status,
                "amount": amount,
                "fee": fee,
                "currency": currency,
                "vpa": vpa,
                "created_at": created_at,
                "utr": utr,
            }
        )
        if waits_until is not UNSET:
            field_dict["waits_until"] = waits_until
        if reason is not UNSET:
            field_dict["reason"] = reason

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        status = d.pop("status")

        amount = d.pop("amount")

        fee = d.pop("fee")

        currency = d.pop("currency")

        vpa = d.pop("vpa")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        def _parse_utr(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        utr = _parse_utr(d.pop("utr"))

        _waits_until = d.pop("waits_until", UNSET)
        waits_until: datetime.datetime | Unset
        if isinstance(_waits_until, Unset):
            waits_until = UNSET
        else:
            waits_until = datetime.datetime.fromisoformat(_waits_until)

        reason = d.pop("reason", UNSET)

        withdrawal = cls(
            id=id,
            status=status,
            amount=amount,
            fee=fee,
            currency=currency,
            vpa=vpa,
            created_at=created_at,
            utr=utr,
            waits_until=waits_until,
            reason=reason,
        )

        withdrawal.additional_properties = d
        return withdrawal

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
