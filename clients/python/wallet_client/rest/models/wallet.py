from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.balance import Balance
    from ..models.limits import Limits


T = TypeVar("T", bound="Wallet")


@_attrs_define
class Wallet:
    """A wallet as it stands, or its balance as it was at `as_of`.

    `unfreezes_at` is when a freeze by its owner ends, null if nobody has asked for that: POST /me/freeze calls it off.

    """

    id: str
    currency: str
    """ INR; ready for others. """
    balance: Balance
    """ What is in a wallet: `total` is the sum of its entries, `held` is promised, `available` may be spent. """
    kind: str
    """ personal, merchant; ready for others. """
    approved: bool
    status: str
    """ active, frozen, closing, closed; ready for others. """
    unfreezes_at: datetime.datetime | None
    limits: Limits
    """ The wallet's limits by its tier; null is none. """
    as_of: datetime.datetime
    """ RFC 3339, in UTC, to the millisecond. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        currency = self.currency

        balance = self.balance.to_dict()

        kind = self.kind

        approved = self.approved

        status = self.status

        unfreezes_at: None | str
        if isinstance(self.unfreezes_at, datetime.datetime):
            unfreezes_at = self.unfreezes_at.isoformat()
        else:
            unfreezes_at = self.unfreezes_at

        limits = self.limits.to_dict()

        as_of = self.as_of.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "currency": currency,
                "balance": balance,
                "kind": kind,
                "approved": approved,
                "status": status,
                "unfreezes_at": unfreezes_at,
                "limits": limits,
                "as_of": as_of,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.balance import Balance  # noqa: PLC0415
        from ..models.limits import Limits  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        currency = d.pop("currency")

        balance = Balance.from_dict(d.pop("balance"))

        kind = d.pop("kind")

        approved = d.pop("approved")

        status = d.pop("status")

        def _parse_unfreezes_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                unfreezes_at_type_0 = datetime.datetime.fromisoformat(data)

                return unfreezes_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        unfreezes_at = _parse_unfreezes_at(d.pop("unfreezes_at"))

        limits = Limits.from_dict(d.pop("limits"))

        as_of = datetime.datetime.fromisoformat(d.pop("as_of"))

        wallet = cls(
            id=id,
            currency=currency,
            balance=balance,
            kind=kind,
            approved=approved,
            status=status,
            unfreezes_at=unfreezes_at,
            limits=limits,
            as_of=as_of,
        )

        wallet.additional_properties = d
        return wallet

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
