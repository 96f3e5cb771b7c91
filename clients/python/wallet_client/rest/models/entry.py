from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.account_side import AccountSide
    from ..models.gateway_side import GatewaySide
    from ..models.vpa_side import VpaSide
    from ..models.wallet_side import WalletSide


T = TypeVar("T", bound="Entry")


@_attrs_define
class Entry:
    """One line of a statement. `rrn` and `utr` are what banks know it by, null as long as none is known."""

    id: str
    type_: str
    """ top_up, payment, refund, hold_capture, withdrawal, withdrawal_return, refund_to_source, fee, adjustment,
    chargeback, chargeback_reversal; ready for others. """
    direction: str
    """ debit, credit; ready for others. """
    amount: int
    """ Minor units (paise). """
    balance_after: int
    """ Minor units (paise). """
    counterparty: AccountSide | GatewaySide | VpaSide | WalletSide
    description: None | str
    reference: None | str
    rrn: None | str
    utr: None | str
    created_at: datetime.datetime
    """ RFC 3339, in UTC, to the millisecond. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.gateway_side import GatewaySide  # noqa: PLC0415
        from ..models.vpa_side import VpaSide  # noqa: PLC0415
        from ..models.wallet_side import WalletSide  # noqa: PLC0415

        id = self.id

        type_ = self.type_

        direction = self.direction

        amount = self.amount

        balance_after = self.balance_after

        counterparty: dict[str, Any]
        if isinstance(self.counterparty, WalletSide):
            counterparty = self.counterparty.to_dict()
        elif isinstance(self.counterparty, GatewaySide):
            counterparty = self.counterparty.to_dict()
        elif isinstance(self.counterparty, VpaSide):
            counterparty = self.counterparty.to_dict()
        else:
            counterparty = self.counterparty.to_dict()

        description: None | str
        description = self.description

        reference: None | str
        reference = self.reference

        rrn: None | str
        rrn = self.rrn

        utr: None | str
        utr = self.utr

        created_at = self.created_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "type": type_,
                "direction": direction,
                "amount": amount,
                "balance_after": balance_after,
                "counterparty": counterparty,
                "description": description,
                "reference": reference,
                "rrn": rrn,
                "utr": utr,
                "created_at": created_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.account_side import AccountSide  # noqa: PLC0415
        from ..models.gateway_side import GatewaySide  # noqa: PLC0415
        from ..models.vpa_side import VpaSide  # noqa: PLC0415
        from ..models.wallet_side import WalletSide  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        type_ = d.pop("type")

        direction = d.pop("direction")

        amount = d.pop("amount")

        balance_after = d.pop("balance_after")

        def _parse_counterparty(data: object) -> AccountSide | GatewaySide | VpaSide | WalletSide:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                counterparty_type_0 = WalletSide.from_dict(data)

                return counterparty_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                counterparty_type_1 = GatewaySide.from_dict(data)

                return counterparty_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                counterparty_type_2 = VpaSide.from_dict(data)

                return counterparty_type_2
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            counterparty_type_3 = AccountSide.from_dict(data)

            return counterparty_type_3

        counterparty = _parse_counterparty(d.pop("counterparty"))

        def _parse_description(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        description = _parse_description(d.pop("description"))

        def _parse_reference(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        reference = _parse_reference(d.pop("reference"))

        def _parse_rrn(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        rrn = _parse_rrn(d.pop("rrn"))

        def _parse_utr(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        utr = _parse_utr(d.pop("utr"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        entry = cls(
            id=id,
            type_=type_,
            direction=direction,
            amount=amount,
            balance_after=balance_after,
            counterparty=counterparty,
            description=description,
            reference=reference,
            rrn=rrn,
            utr=utr,
            created_at=created_at,
        )

        entry.additional_properties = d
        return entry

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
