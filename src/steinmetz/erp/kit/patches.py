"""A patch: some fields of a record that are to become others; what is left out stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from steinmetz.erp.kit.schemas import Input


def wanted_by(patch: Input) -> dict[str, Any]:
    """The fields that were sent, without the version that the patch was made for."""
    return patch.model_dump(exclude_unset=True, exclude={"version"})


def differing(record: object, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The present values of those fields of ``record`` that are to become others."""
    return {name: getattr(record, name) for name in wanted if getattr(record, name) != wanted[name]}


def apply(record: object, wanted: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give ``record`` the values that are wanted; returns what differed, before and after, for the audit log."""
    before = differing(record, wanted)
    for name in before:
        setattr(record, name, wanted[name])
    return told(before), told({name: wanted[name] for name in before})


def told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields under the names that the API has for them."""
    return {to_camel(name): value for name, value in values.items()}
