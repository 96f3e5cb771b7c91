from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.tally import Tally


T = TypeVar("T", bound="BulkPayment")


@_attrs_define
class BulkPayment:
    """A file as it stands."""

    id: str
    status: str
    """ running, finished; ready for others. """
    rows: int
    total: int
    """ Minor units (paise). """
    currency: str
    """ INR; ready for others. """
    waiting: Tally
    """ How many rows, and what they come to. """
    paid: Tally
    """ How many rows, and what they come to. """
    refused: Tally
    """ How many rows, and what they come to. """
    created_at: datetime.datetime
    """ RFC 3339, in UTC, to the millisecond. """
    finished_at: datetime.datetime | None
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        status = self.status

        rows = self.rows

        total = self.total

        currency = self.currency

        waiting = self.waiting.to_dict()

        paid = self.paid.to_dict()

        refused = self.refused.to_dict()

        created_at = self.created_at.isoformat()

        finished_at: None | str
        if isinstance(self.finished_at, datetime.datetime):
            finished_at = self.finished_at.isoformat()
        else:
            finished_at = self.finished_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "status": status,
                "rows": rows,
                "total": total,
                "currency": currency,
                "waiting": waiting,
                "paid": paid,
                "refused": refused,
                "created_at": created_at,
                "finished_at": finished_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.tally import Tally  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        status = d.pop("status")

        rows = d.pop("rows")

        total = d.pop("total")

        currency = d.pop("currency")

        waiting = Tally.from_dict(d.pop("waiting"))

        paid = Tally.from_dict(d.pop("paid"))

        refused = Tally.from_dict(d.pop("refused"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        def _parse_finished_at(data: object) -> datetime.datetime | None:
            if data is None:
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                finished_at_type_0 = datetime.datetime.fromisoformat(data)

                return finished_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None, data)

        finished_at = _parse_finished_at(d.pop("finished_at"))

        bulk_payment = cls(
            id=id,
            status=status,
            rows=rows,
            total=total,
            currency=currency,
            waiting=waiting,
            paid=paid,
            refused=refused,
            created_at=created_at,
            finished_at=finished_at,
        )

        bulk_payment.additional_properties = d
        return bulk_payment

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
