"""The figures of the company over HTTP. "Today" and "this week" move at midnight without any commit (trap T14)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from steinmetz.cache import cached, valid_until
from steinmetz.erp.dependencies import Reading
from steinmetz.erp.kit.answers import Answer, json_answer
from steinmetz.erp.kit.days import next_midnight
from steinmetz.erp.modules.dashboard import service
from steinmetz.erp.modules.dashboard.schemas import Dashboard, Overview, Widget

router = APIRouter(prefix="/api/dashboard", tags=["dashboard"])


@router.get("", response_model=Answer[Dashboard])
@cached(ttl=300, vary_on="role", live=True)
async def get_dashboard(unit: Reading) -> Response:
    """The widgets that the caller's role may see, each with what stands behind it."""
    valid_until(next_midnight(unit.now))
    return json_answer(await service.dashboard(unit))


@router.get("/overview", response_model=Answer[Overview])
@cached(ttl=300, shared=True, live=True)
async def get_overview(unit: Reading) -> Response:
    """The figures that everybody sees; ``dashboard:update`` brings the same document when one of them changes."""
    valid_until(next_midnight(unit.now))
    return json_answer(await service.overview(unit))


@router.get("/widgets/{widget_id}", response_model=Answer[Widget])
@cached(ttl=300, vary_on="role", live=True)
async def get_widget(
    unit: Reading, widget_id: Annotated[str, Path(max_length=40, description="A field of the overview")]
) -> Response:
    """One widget. ``revenue`` and ``cash`` need the role manager."""
    valid_until(next_midnight(unit.now))
    return json_answer(await service.widget(unit, widget_id))
