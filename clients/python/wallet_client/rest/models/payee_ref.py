from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="PayeeRef")


@_attrs_define
class PayeeRef:
    """Who is paid, or looked up: by wallet, by phone, or by what the wallet's QR code says."""

    wallet_id: None | str | Unset = UNSET
    phone: None | str | Unset = UNSET
    qr: None | str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        wallet_id: None | str | Unset
        if isinstance(self.wallet_id, Unset):
            wallet_id = UNSET
        else:
            wallet_id = self.wallet_id

        phone: None | str | Unset
        if isinstance(self.phone, Unset):
            phone = UNSET
        else:
            phone = self.phone

        qr: None | str | Unset
        if isinstance(self.qr, Unset):
            qr = UNSET
        else:
            qr = self.qr

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if wallet_id is not UNSET:
            field_dict["wallet_id"] = wallet_id
        if phone is not UNSET:
            field_dict["phone"] = phone
        if qr is not UNSET:
            field_dict["qr"] = qr

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_wallet_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        wallet_id = _parse_wallet_id(d.pop("wallet_id", UNSET))

        def _parse_phone(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        phone = _parse_phone(d.pop("phone", UNSET))

        def _parse_qr(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        qr = _parse_qr(d.pop("qr", UNSET))

        payee_ref = cls(
            wallet_id=wallet_id,
            phone=phone,
            qr=qr,
        )

        return payee_ref
