from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.limit_left import LimitLeft


T = TypeVar("T", bound="Preview")


@_attrs_define
class Preview:
    """What would happen; it promises nothing."""

    fee: int
    """ Minor units (paise). """
    total: int
    """ Minor units (paise). """
    available_after: int
    """ Minor units (paise); negative: it would be refused. """
    limits: list[LimitLeft]
    confirmation: bool
    confirmation_paused_until: datetime.datetime | Unset = UNSET
    """ RFC 3339, in UTC, to the millisecond. """
    waits_until: datetime.datetime | Unset = UNSET
    """ RFC 3339, in UTC, to the millisecond. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fee = self.fee

        total = self.total

        available_after = self.available_after

        limits = []
        for limits_item_data in self.limits:
            limits_item = limits_item_data.to_dict()
            limits.append(limits_item)

        confirmation = self.confirmation

        confirmation_paused_until: str | Unset = UNSET
        if not isinstance(self.confirmation_paused_until, Unset):
            confirmation_paused_until = self.confirmation_paused_until.isoformat()

        waits_until: str | Unset = UNSET
        if not isinstance(self.waits_until, Unset):
            waits_until = self.waits_until.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "fee": fee,
                "total": total,
                "available_after": available_after,
                "limits": limits,
                "confirmation": confirmation,
            }
        )
        if confirmation_paused_until is not UNSET:
            field_dict["confirmation_paused_until"] = confirmation_paused_until
        if waits_until is not UNSET:
            field_dict["waits_until"] = waits_until

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.limit_left import LimitLeft  # noqa: PLC0415

        d = dict(src_dict)
        fee = d.pop("fee")

        total = d.pop("total")

        available_after = d.pop("available_after")

        limits = []
        _limits = d.pop("limits")
        for limits_item_data in _limits:
            limits_item = LimitLeft.from_dict(limits_item_data)

            limits.append(limits_item)

        confirmation = d.pop("confirmation")

        _confirmation_paused_until = d.pop("confirmation_paused_until", UNSET)
        confirmation_paused_until: datetime.datetime | Unset
        if isinstance(_confirmation_paused_until, Unset):
            confirmation_paused_until = UNSET
        else:
            confirmation_paused_until = datetime.datetime.fromisoformat(_confirmation_paused_until)

        _waits_until = d.pop("waits_until", UNSET)
        waits_until: datetime.datetime | Unset
        if isinstance(_waits_until, Unset):
            waits_until = UNSET
        else:
            waits_until = datetime.datetime.fromisoformat(_waits_until)

        preview = cls(
            fee=fee,
            total=total,
            available_after=available_after,
            limits=limits,
            confirmation=confirmation,
            confirmation_paused_until=confirmation_paused_until,
            waits_until=waits_until,
        )

        preview.additional_properties = d
        return preview

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
