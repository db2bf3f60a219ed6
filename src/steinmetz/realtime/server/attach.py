"""One call that gives an application its realtime server."""

from __future__ import annotations

from typing import Any

from steinmetz.clock import Clock
from steinmetz.realtime.config import Config
from steinmetz.realtime.server.server import Server


def init_websocket_server(app: Any, config: Config | None = None, *, clock: Clock | None = None) -> Server:
    """Mount a new `Server` at `Config.path` of ``app`` and return it.

    ``app`` is an application with ``mount(path, app)``, as Starlette and FastAPI have it. Raises `TypeError` for
    another: wrap that one, ``RealtimeApp(Server(config), other=app)``. Mounted applications see no lifespan, so
    call ``await io.shutdown()`` at the end of the application's own.
    """
    server = Server(config, clock=clock)
    mount = getattr(app, "mount", None)
    if not callable(mount):
        raise TypeError(
            f"{type(app).__name__} has no mount(); serve RealtimeApp(Server(config), other=app) instead"
        )
    mount(server.config.path.rstrip("/"), server.asgi)
    return server
