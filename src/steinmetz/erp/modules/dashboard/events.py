"""What the dashboard room hears: the whole overview, and each widget that differs; pure."""

from __future__ import annotations

from typing import Any

from steinmetz.erp.modules.dashboard.schemas import UPDATE, WIDGET_UPDATE, WidgetId
from steinmetz.realtime import Event

OVERVIEW_PATH = "/api/dashboard/overview"

Told = tuple[Event, dict[str, Any]]
"""An event and its payload."""


def widget_updates(old: dict[str, Any] | None, new: dict[str, Any]) -> list[dict[str, Any]]:
    """``{widget, data}`` of each widget of the overview that differs; all of them without an ``old`` one.

    The business date is no widget: widgets that move with it differ by themselves.
    """
    return [
        {"widget": widget.value, "data": new[widget]}
        for widget in WidgetId
        if old is None or old.get(widget) != new[widget]
    ]


def overview_events(old: dict[str, Any] | None, new: dict[str, Any]) -> list[Told]:
    """What to say when the overview has changed from ``old`` to ``new``: the whole first, then the widgets."""
    widgets: list[Told] = [(WIDGET_UPDATE, update) for update in widget_updates(old, new)]
    return [(UPDATE, new), *widgets]
