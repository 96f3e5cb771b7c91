from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="WithdrawalBody")


@_attrs_define
class WithdrawalBody:
    """POST /withdrawals. A text that is no VPA has a refusal of its own, and comes through as it is."""

    amount: int
    """ Minor units (paise). """
    vpa: str
    """ A UPI address, like asha@okbank, as text of at most 255 characters. """

    def to_dict(self) -> dict[str, Any]:
        amount = self.amount

        vpa = self.vpa

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "amount": amount,
                "vpa": vpa,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        amount = d.pop("amount")

        vpa = d.pop("vpa")

        withdrawal_body = cls(
            amount=amount,
            vpa=vpa,
        )

        return withdrawal_body
