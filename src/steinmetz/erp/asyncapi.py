"""The AsyncAPI document of the house's events: /asyncapi.json, the other half of the OpenAPI document."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from steinmetz.erp.modules.batch.schemas import COMPLETE, ERROR, PROGRESS
from steinmetz.erp.modules.catalog.schemas import RELOAD
from steinmetz.erp.modules.catalog.schemas import UPDATE as CATALOG_UPDATE
from steinmetz.erp.modules.chat.schemas import MESSAGE, PRESENCE, TYPING
from steinmetz.erp.modules.dashboard.schemas import UPDATE as DASHBOARD_UPDATE
from steinmetz.erp.modules.dashboard.schemas import WIDGET_UPDATE
from steinmetz.erp.modules.notifications.schemas import NOTIFICATION
from steinmetz.erp.modules.system.schemas import ALERT, MAINTENANCE
from steinmetz.live.events import ENDED, STALE
from steinmetz.live.events import UPDATE as LIVE_UPDATE
from steinmetz.realtime import Event, Server
from steinmetz.realtime.events import asyncapi

SENT_EVENTS: tuple[Event, ...] = (
    DASHBOARD_UPDATE,
    WIDGET_UPDATE,
    CATALOG_UPDATE,
    RELOAD,
    MESSAGE,
    TYPING,
    PRESENCE,
    NOTIFICATION,
    MAINTENANCE,
    PROGRESS,
    ERROR,
    COMPLETE,
    ALERT,
    LIVE_UPDATE,
    STALE,
    ENDED,
)
"""Every event that the server emits; what clients send is known by its handlers."""

ROOMS = {
    "dashboard-room": "Everybody; joined on connecting",
    "chat-room": "Everybody: the channel `general`; joined on connecting",
    "chat-room:{channel}": "Those who see the channel and have asked for it with `room:join`",
    "role:{role}": "All of one role; joined on connecting",
    "user:{id}": "All sockets of one user; joined on connecting, private",
    "batch-job:{id}": "Who watches a job: its owner, managers, auditors and administrators, by `room:join`",
    "{socket}": "One client, which has subscribed with `live:subscribe`; no room to join",
    "ops": "Administrators and auditors; joined on connecting",
}

_ACCESS_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "`accessToken` of POST /api/auth/login, as `auth: { token }` of the CONNECT packet",
}


def describe(io: Server, *, title: str, version: str, port: int) -> dict[str, Any]:
    """The whole document of what ``io`` says and understands."""
    return asyncapi(
        io.registries,
        title=f"{title}, events",
        version=version,
        description="What was said before a client connects is not said again: fetch once, then listen.",
        host=f"localhost:{port}",
        path=io.config.path,
        rooms=ROOMS,
        security={"accessToken": _ACCESS_TOKEN},
    )


def install_asyncapi(app: FastAPI, io: Server, port: int) -> None:
    """Serve the document at /asyncapi.json; it is made once, when it is asked for first."""
    made: dict[str, Any] = {}

    @app.get("/asyncapi.json", include_in_schema=False)
    async def document() -> dict[str, Any]:
        if not made:
            made.update(describe(io, title=app.title, version=app.version, port=port))
        return made
