from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.usage import Usage


T = TypeVar("T", bound="Limits")


@_attrs_define
class Limits:
    """The wallet's limits by its tier; null is none."""

    tier: str
    max_balance: int | None
    max_top_up: int | None
    max_payment: int | None
    max_load_month: int | None
    max_load_year: int | None
    max_debit_day: int | None
    max_debit_month: int | None
    person_to_person: bool
    withdrawals: bool
    used: Usage
    """ What counts towards the limits so far, of the Indian day, month and financial year. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        tier = self.tier

        max_balance: int | None
        max_balance = self.max_balance

        max_top_up: int | None
        max_top_up = self.max_top_up

        max_payment: int | None
        max_payment = self.max_payment

        max_load_month: int | None
        max_load_month = self.max_load_month

        max_load_year: int | None
        max_load_year = self.max_load_year

        max_debit_day: int | None
        max_debit_day = self.max_debit_day

        max_debit_month: int | None
        max_debit_month = self.max_debit_month

        person_to_person = self.person_to_person

        withdrawals = self.withdrawals

        used = self.used.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "tier": tier,
                "max_balance": max_balance,
                "max_top_up": max_top_up,
                "max_payment": max_payment,
                "max_load_month": max_load_month,
                "max_load_year": max_load_year,
                "max_debit_day": max_debit_day,
                "max_debit_month": max_debit_month,
                "person_to_person": person_to_person,
                "withdrawals": withdrawals,
                "used": used,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.usage import Usage  # noqa: PLC0415

        d = dict(src_dict)
        tier = d.pop("tier")

        def _parse_max_balance(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        max_balance = _parse_max_balance(d.pop("max_balance"))

        def _parse_max_top_up(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        max_top_up = _parse_max_top_up(d.pop("max_top_up"))

        def _parse_max_payment(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        max_payment = _parse_max_payment(d.pop("max_payment"))

        def _parse_max_load_month(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        max_load_month = _parse_max_load_month(d.pop("max_load_month"))

        def _parse_max_load_year(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        max_load_year = _parse_max_load_year(d.pop("max_load_year"))

        def _parse_max_debit_day(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        max_debit_day = _parse_max_debit_day(d.pop("max_debit_day"))

        def _parse_max_debit_month(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        max_debit_month = _parse_max_debit_month(d.pop("max_debit_month"))

        person_to_person = d.pop("person_to_person")

        withdrawals = d.pop("withdrawals")

        used = Usage.from_dict(d.pop("used"))

        limits = cls(
            tier=tier,
            max_balance=max_balance,
            max_top_up=max_top_up,
            max_payment=max_payment,
            max_load_month=max_load_month,
            max_load_year=max_load_year,
            max_debit_day=max_debit_day,
            max_debit_month=max_debit_month,
            person_to_person=person_to_person,
            withdrawals=withdrawals,
            used=used,
        )

        limits.additional_properties = d
        return limits

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
