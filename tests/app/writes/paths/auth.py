"""Users, for those who administrate them."""

from __future__ import annotations

from tests.app.writes.house import House

HEARD: dict[str, str] = {}


async def paths(house: House) -> list[str]:
    (user,) = (await house.data_of("/api/users?limit=1"))[:1]
    return ["/api/users", f"/api/users/{user['id']}"]
