from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.balance import Balance
    from ..models.party import Party


T = TypeVar("T", bound="HoldReceipt")


@_attrs_define
class HoldReceipt:
    """A hold that has just been placed, with the payer's balance behind it.

    A key that is sent again long afterwards is answered from the database, which doesn't keep that.

    """

    from_: Party
    """ One side of a payment, by the name they registered with. """
    to: Party
    """ One side of a payment, by the name they registered with. """
    id: str
    status: str
    """ placed, captured, released, expired; ready for others. """
    amount: int
    """ Minor units (paise). """
    captured: int
    """ Minor units (paise). """
    currency: str
    """ INR; ready for others. """
    description: None | str
    created_at: datetime.datetime
    """ RFC 3339, in UTC, to the millisecond. """
    expires_at: datetime.datetime
    """ RFC 3339, in UTC, to the millisecond. """
    balance: Balance | Unset = UNSET
    """ What is in a wallet: `total` is the sum of its entries, `held` is promised, `available` may be spent. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from_ = self.from_.to_dict()

        to = self.to.to_dict()

        id = self.id

        status = self.status

        amount = self.amount

        captured = self.captured

        currency = self.currency

        description: None | str
        description = self.description

        created_at = self.created_at.isoformat()

        expires_at = self.expires_at.isoformat()

        balance: dict[str, Any] | Unset = UNSET
        if not isinstance(self.balance, Unset):
            balance = self.balance.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "from": from_,
                "to": to,
                "id": id,
                "status": status,
                "amount": amount,
                "captured": captured,
                "currency": currency,
                "description": description,
                "created_at": created_at,
                "expires_at": expires_at,
            }
        )
        if balance is not UNSET:
            field_dict["balance"] = balance

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.balance import Balance  # noqa: PLC0415
        from ..models.party import Party  # noqa: PLC0415

        d = dict(src_dict)
        from_ = Party.from_dict(d.pop("from"))

        to = Party.from_dict(d.pop("to"))

        id = d.pop("id")

        status = d.pop("status")

        amount = d.pop("amount")

        captured = d.pop("captured")

        currency = d.pop("currency")

        def _parse_description(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        description = _parse_description(d.pop("description"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        _balance = d.pop("balance", UNSET)
        balance: Balance | Unset
        if isinstance(_balance, Unset):
            balance = UNSET
        else:
            balance = Balance.from_dict(_balance)

        hold_receipt = cls(
            from_=from_,
            to=to,
            id=id,
            status=status,
            amount=amount,
            captured=captured,
            currency=currency,
            description=description,
            created_at=created_at,
            expires_at=expires_at,
            balance=balance,
        )

        hold_receipt.additional_properties = d
        return hold_receipt

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
