"""Whole ranges of records, for files and checks."""

from __future__ import annotations

from typing import Any

from steinmetz.erp.db import Unit
from steinmetz.erp.modules.finance import repository
from steinmetz.erp.modules.finance.repository.extracts import Extract, WrongSum

__all__ = [
    "Extract",
    "WrongSum",
    "extract",
    "last_id",
    "wrong_sums",
]


async def last_id(unit: Unit, subject: Extract) -> int:
    """The greatest id of these records; 0 where there are none."""
    return await repository.extracts.last_id(unit.session, subject)


async def extract(unit: Unit, subject: Extract, first_id: int, last_id: int) -> list[dict[str, Any]]:
    """The records with ids from ``first_id`` to ``last_id``, both included, as columns and values, by id."""
    return await repository.extracts.rows(unit.session, subject, first_id, last_id)


async def wrong_sums(unit: Unit, first_id: int, last_id: int) -> list[WrongSum]:
    """Of the invoices with these ids, both included, those whose sums are not what their items add up to."""
    return await repository.extracts.wrong_sums(unit.session, first_id, last_id)
