"""Notices to all, to a role or to one user."""

from __future__ import annotations

from tests.app.writes.house import House

NOTIFICATIONS = "/api/notifications"
HEARD = {"system:notification": f"^{NOTIFICATIONS}"}


async def paths(house: House) -> list[str]:
    return [NOTIFICATIONS, f"{NOTIFICATIONS}?unread=true"]
