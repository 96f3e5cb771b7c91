from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ProofKey")


@_attrs_define
class ProofKey:
    """A public key, and how checkpoints are signed with it."""

    algorithm: str
    """ RSASSA-PKCS1-v1_5 with SHA-256; ready for others. """
    public_key: str
    """ Base64 of its SubjectPublicKeyInfo (DER). """
    sha256: str
    """ Of that DER: what to compare. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        algorithm = self.algorithm

        public_key = self.public_key

        sha256 = self.sha256

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "algorithm": algorithm,
                "public_key": public_key,
                "sha256": sha256,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        algorithm = d.pop("algorithm")

        public_key = d.pop("public_key")

        sha256 = d.pop("sha256")

        proof_key = cls(
            algorithm=algorithm,
            public_key=public_key,
            sha256=sha256,
        )

        proof_key.additional_properties = d
        return proof_key

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
