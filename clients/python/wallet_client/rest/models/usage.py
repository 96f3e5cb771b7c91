from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Usage")


@_attrs_define
class Usage:
    """What counts towards the limits so far, of the Indian day, month and financial year."""

    debited_today: int
    """ Minor units (paise). """
    debited_this_month: int
    """ Minor units (paise). """
    loaded_this_month: int
    """ Minor units (paise). """
    loaded_this_year: int
    """ Minor units (paise). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        debited_today = self.debited_today

        debited_this_month = self.debited_this_month

        loaded_this_month = self.loaded_this_month

        loaded_this_year = self.loaded_this_year

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "debited_today": debited_today,
                "debited_this_month": debited_this_month,
                "loaded_this_month": loaded_this_month,
                "loaded_this_year": loaded_this_year,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        debited_today = d.pop("debited_today")

        debited_this_month = d.pop("debited_this_month")

        loaded_this_month = d.pop("loaded_this_month")

        loaded_this_year = d.pop("loaded_this_year")

        usage = cls(
            debited_today=debited_today,
            debited_this_month=debited_this_month,
            loaded_this_month=loaded_this_month,
            loaded_this_year=loaded_this_year,
        )

        usage.additional_properties = d
        return usage

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
