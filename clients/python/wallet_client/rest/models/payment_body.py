from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.payment_payee_ref import PaymentPayeeRef


T = TypeVar("T", bound="PaymentBody")


@_attrs_define
class PaymentBody:
    """POST /payments."""

    to: PaymentPayeeRef
    """ Who is paid by POST /payments: as ever, or who has asked for it. """
    amount: int
    """ Minor units (paise). """
    description: None | str | Unset = UNSET
    reference: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        to = self.to.to_dict()

        amount = self.amount

        description: None | str | Unset
        if isinstance(self.description, Unset):
            description = UNSET
        else:
            description = self.description

        reference: None | str | Unset
        if isinstance(self.reference, Unset):
            reference = UNSET
        else:
            reference = self.reference

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "to": to,
                "amount": amount,
            }
        )
        if description is not UNSET:
            field_dict["description"] = description
        if reference is not UNSET:
            field_dict["reference"] = reference

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.payment_payee_ref import PaymentPayeeRef  # noqa: PLC0415

        d = dict(src_dict)
        to = PaymentPayeeRef.from_dict(d.pop("to"))

        amount = d.pop("amount")

        def _parse_description(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        description = _parse_description(d.pop("description", UNSET))

        def _parse_reference(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        reference = _parse_reference(d.pop("reference", UNSET))

        payment_body = cls(
            to=to,
            amount=amount,
            description=description,
            reference=reference,
        )

        return payment_body
