"""No cached route is left out, and a write that does not happen leaves the answers kept."""

from __future__ import annotations

import pytest

from steinmetz.erp.errors import Problem
from tests.app.writes.house import House

pytestmark = pytest.mark.anyio


async def test_no_cached_route_is_forgotten(house: House) -> None:
    from steinmetz.cache import RouteTable

    table = RouteTable.of(house.app.api)
    marked = {route.template for _, route in table if route.policy is not None}
    visited = {table.match("GET", path.partition("?")[0]).template for path in house.paths}
    assert visited == marked


@pytest.mark.both_databases
async def test_every_cached_answer_is_kept_for_every_role(house: House) -> None:
    await house.verify_kept()


@pytest.mark.both_databases
async def test_a_rolled_back_write_says_nothing_and_leaves_the_hits(house: House) -> None:
    """The rows were written and flushed, an event was noted; then the request failed."""
    from steinmetz.erp.dependencies import Writing
    from steinmetz.erp.kit.announcements import Announcement
    from steinmetz.erp.modules.finance.models import Customer

    async def fail_late(unit: Writing) -> None:
        unit.session.add(Customer(number="K-0", name="Niemand GmbH", created_at=unit.now))
        await unit.session.flush()
        unit.publish(Announcement("catalog:update", {"deleted": "nothing"}))
        raise Problem(418, "No", "This request fails after it has written.")

    house.app.api.add_api_route("/api/test/fail-late", fail_late, methods=["POST"])
    page = house.app.api.router.routes.pop(-2)
    house.app.api.router.routes.append(page)
    await house.verify_write(lambda: house.manager.post("/api/test/fail-late"), succeeds=False)
    assert not any(reader.heard() for reader in house.readers)
    await house.verify_kept()
