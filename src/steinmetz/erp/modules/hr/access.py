"""Whose hours and leave a caller reads and writes: one's own, or everybody's.

One's own are those of the employee who is linked to the account. What is decided here is decided of records that
are read in the same unit: an account that is linked to another employee reads other answers from then on.
"""

from __future__ import annotations

from dataclasses import dataclass

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Forbidden, NotFound, Unprocessable
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.hr import repository, rules
from steinmetz.erp.modules.hr.models import Employee

NOT_LINKED = "Your account is linked to no employee: name employeeId, or have a manager link the account."
OWN_ONLY = (
    "This needs the role manager: a clerk has only the own records, those of the employee linked to the account."
)


@dataclass(frozen=True, slots=True)
class Readable:
    """Whose records a list shows. ``employee_id`` None: everybody's."""

    employee_id: int | None
    nobody: bool = False
    """The caller has no records and sees none of others."""


async def own_id(unit: Unit) -> int | None:
    """The id of the employee linked to the account that calls."""
    return (
        None if unit.actor.id is None else await repository.employees.employee_id_of(unit.session, unit.actor.id)
    )


async def readable(unit: Unit, employee_id: int | None) -> Readable:
    """Whose records a list may show, of those asked for (None: all that may be). Raises `Forbidden`."""
    if rules.sees_everybody(unit.actor.role):
        return Readable(employee_id)
    mine = await own_id(unit)
    if employee_id is not None and mine != employee_id:
        raise Forbidden(Role.MANAGER, OWN_ONLY)
    return Readable(mine, nobody=mine is None)


async def to_read(unit: Unit, employee_id: int | None) -> Employee:
    """The employee whose records are asked for; the caller's own where none is named.

    Raises `Forbidden`, `NotFound`, `Unprocessable`.
    """
    if employee_id is None:
        employee_id = await _linked_id(unit)
    else:
        await readable(unit, employee_id)
    found = await repository.employees.employee(unit.session, employee_id)
    if found is None:
        raise NotFound("employee", employee_id)
    return found


async def to_write(unit: Unit, employee_id: int | None) -> Employee:
    """The employee for whom a record is written, locked; the caller's own where none is named.

    Raises `Forbidden`, `Unprocessable`.
    """
    if employee_id is None:
        employee_id = await _linked_id(unit)
    locked = await repository.employees.employee_to_change(unit.session, employee_id)
    # Asked of the locked row: the account may have been linked to somebody else a moment ago.
    if not rules.writes_for_everybody(unit.actor.role) and not is_own(unit, locked):
        raise Forbidden(Role.MANAGER, OWN_ONLY)
    if locked is None:
        raise Unprocessable(f"There is no employee {employee_id}.", "employeeId")
    return locked


async def _linked_id(unit: Unit) -> int:
    if (mine := await own_id(unit)) is None:
        raise Unprocessable(NOT_LINKED, "employeeId")
    return mine


def is_own(unit: Unit, employee: Employee | None) -> bool:
    """Whether the employee is the one who calls."""
    return employee is not None and unit.actor.id is not None and employee.user_id == unit.actor.id
