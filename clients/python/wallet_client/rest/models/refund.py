from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.balance import Balance


T = TypeVar("T", bound="Refund")


@_attrs_define
class Refund:
    """A refund that has happened, with the payee's balance behind it.

    A key that is sent again long afterwards is answered from the ledger, which doesn't keep that.

    """

    id: str
    payment_id: str
    status: str
    """ completed; ready for others. """
    amount: int
    """ Minor units (paise). """
    currency: str
    """ INR; ready for others. """
    reason: None | str
    refunded: int
    """ Minor units (paise). """
    transaction_id: str
    created_at: datetime.datetime
    """ RFC 3339, in UTC, to the millisecond. """
    balance: Balance | Unset = UNSET
    """ What is in a wallet: `total` is the sum of its entries, `held` is promised, `available` may be spent. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        payment_id = self.payment_id

        status = self.status

        amount = self.amount

        currency = self.currency

        reason: None | str
        reason = self.reason

        refunded = self.refunded

        transaction_id = self.transaction_id

        created_at = self.created_at.isoformat()

        balance: dict[str, Any] | Unset = UNSET
        if not isinstance(self.balance, Unset):
            balance = self.balance.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "payment_id": payment_id,
                "status": status,
                "amount": amount,
                "currency": currency,
                "reason": reason,
                "refunded": refunded,
                "transaction_id": transaction_id,
                "created_at": created_at,
            }
        )
        if balance is not UNSET:
            field_dict["balance"] = balance

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.balance import Balance  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        payment_id = d.pop("payment_id")

        status = d.pop("status")

        amount = d.pop("amount")

        currency = d.pop("currency")

        def _parse_reason(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        reason = _parse_reason(d.pop("reason"))

        refunded = d.pop("refunded")

        transaction_id = d.pop("transaction_id")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        _balance = d.pop("balance", UNSET)
        balance: Balance | Unset
        if isinstance(_balance, Unset):
            balance = UNSET
        else:
            balance = Balance.from_dict(_balance)

        refund = cls(
            id=id,
            payment_id=payment_id,
            status=status,
            amount=amount,
            currency=currency,
            reason=reason,
            refunded=refunded,
            transaction_id=transaction_id,
            created_at=created_at,
            balance=balance,
        )

        refund.additional_properties = d
        return refund

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
