"""Maintenance and the audit log."""

from __future__ import annotations

from tests.app.writes.house import House

HEARD = {"system:maintenance": r"^/api/system/maintenance$"}


async def paths(house: House) -> list[str]:
    return ["/api/system/maintenance", "/api/audit?limit=5"]
