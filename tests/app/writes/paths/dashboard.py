"""The dashboard."""

from __future__ import annotations

from steinmetz.erp.modules.dashboard.schemas import WidgetId
from tests.app.writes.house import OVERVIEW, House

HEARD = {"dashboard:update": f"^{OVERVIEW}$", "dashboard:widget:update": f"^{OVERVIEW}$"}


async def paths(house: House) -> list[str]:
    return [OVERVIEW, "/api/dashboard", *(f"/api/dashboard/widgets/{widget}" for widget in WidgetId)]
