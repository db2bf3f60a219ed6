"""Departments, employees, hours and leave. No event of its own: the dashboard tells of heads and hours."""

from __future__ import annotations

from typing import Any

from steinmetz.erp.kit.roles import Role
from tests.app.writes.house import House

HEARD: dict[str, str] = {}


async def employee_of(house: House, role: Role) -> dict[str, Any]:
    """The employee who signs in as this role."""
    user = (await house.as_role(role).get("/api/auth/me")).json()["data"]
    staff = await house.data_of("/api/employees?limit=500")
    row: dict[str, Any] = next(each for each in staff if each["userId"] == user["id"])
    return row


async def paths(house: House) -> list[str]:
    clerk = await employee_of(house, Role.CLERK)
    return [
        "/api/departments",
        f"/api/departments/{clerk['departmentId']}",
        "/api/employees",
        "/api/employees?active=true&sort=-hiredOn&limit=5",
        f"/api/employees/{clerk['id']}",
        "/api/time-entries?limit=20",
        "/api/time-entries/week",
        "/api/leave-requests?limit=20",
        "/api/leave-requests/allowance",
        "/api/hr/statistics?from=2026-01-01&to=2026-03-31",
    ]
