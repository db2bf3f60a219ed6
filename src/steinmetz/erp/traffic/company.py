"""What the clerks know of the company they work for, and whose desk each record lies on; pure.

Every record that may be written lies on exactly one desk. So clerks never meet each other's versions, whatever
the machine's speed, and a seed gives the same requests on every run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

MAX_DRAFTS = 200


class Role(StrEnum):
    """Under whose token a desk works."""

    CLERK = "clerk"
    MANAGER = "manager"


@dataclass(frozen=True, slots=True)
class Company:
    """Ids, the most looked-at first."""

    customers: Sequence[int]
    open_invoices: Sequence[int]
    """Sent or overdue: they can be paid."""
    nodes: Sequence[str]
    """Of the catalogue, visible to a clerk."""
    words: Sequence[str]
    """What is searched for."""
    widgets: Sequence[str] = ()


@dataclass(slots=True)
class Desk:
    """The records that one clerk alone writes."""

    role: Role
    customers: deque[int]
    payable: deque[int]
    nodes: deque[str]
    drafts: deque[int] = field(default_factory=lambda: deque(maxlen=MAX_DRAFTS))


def desks(company: Company, clerks: int) -> list[Desk]:
    """One desk a clerk; the first of every four is a manager's, who alone edits the catalogue.

    Raises `ValueError` when there are more desks than customers: a desk without a customer cannot write.
    """
    if not 0 < clerks <= len(company.customers):
        raise ValueError(
            f"between 1 and {len(company.customers)} clerks can share {len(company.customers)} customers"
        )
    managers = (clerks + 3) // 4
    return [
        Desk(
            role=Role.CLERK if index % 4 else Role.MANAGER,
            customers=deque(company.customers[index::clerks]),
            payable=deque(company.open_invoices[index::clerks]),
            nodes=deque(() if index % 4 else company.nodes[index // 4 :: managers]),
        )
        for index in range(clerks)
    ]
