from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.balance import Balance


T = TypeVar("T", bound="WithdrawalReceipt")


@_attrs_define
class WithdrawalReceipt:
    """A withdrawal whose money has just been set aside, with the balance behind it.

    A key that is sent again is answered from the database later on, which doesn't keep that.

    """

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
    waits_until: datetime.datetime | Unset = UNSET
    """ RFC 3339, in UTC, to the millisecond. """
    balance: Balance | Unset = UNSET
    """ What is in a wallet: `total` is the sum of its entries, `held` is promised, `available` may be spent. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        status = self.status

        amount = self.amount

        fee = self.fee

        currency = self.currency

        vpa = self.vpa

        created_at = self.created_at.isoformat()

        waits_until: str | Unset = UNSET
        if not isinstance(self.waits_until, Unset):
            waits_until = self.waits_until.isoformat()

        balance: dict[str, Any] | Unset = UNSET
        if not isinstance(self.balance, Unset):
            balance = self.balance.to_dict()

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
            }
        )
        if waits_until is not UNSET:
            field_dict["waits_until"] = waits_until
        if balance is not UNSET:
            field_dict["balance"] = balance

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.balance import Balance  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        status = d.pop("status")

        amount = d.pop("amount")

        fee = d.pop("fee")

        currency = d.pop("currency")

        vpa = d.pop("vpa")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        _waits_until = d.pop("waits_until", UNSET)
        waits_until: datetime.datetime | Unset
        if isinstance(_waits_until, Unset):
            waits_until = UNSET
        else:
            waits_until = datetime.datetime.fromisoformat(_waits_until)

        _balance = d.pop("balance", UNSET)
        balance: Balance | Unset
        if isinstance(_balance, Unset):
            balance = UNSET
        else:
            balance = Balance.from_dict(_balance)

        withdrawal_receipt = cls(
            id=id,
            status=status,
            amount=amount,
            fee=fee,
            currency=currency,
            vpa=vpa,
            created_at=created_at,
            waits_until=waits_until,
            balance=balance,
        )

        withdrawal_receipt.additional_properties = d
        return withdrawal_receipt

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
