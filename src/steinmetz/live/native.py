"""The door for uvicorn: one HTTP protocol class through which the sockets reach realtime below ASGI.

uvicorn takes a class for ``http=``. This is the only module that knows uvicorn on behalf of more than one part:
the realtime server's upgrades are chosen here (trap T22), and so will be answers from the parser's callback.

    uvicorn.run(live, http=protocol_class(live))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steinmetz.realtime import Server


def protocol_class(io: Server | None) -> type[Any] | str:
    """What to give to uvicorn as ``http=``.

    Without the fast parser httptools, or without a realtime server, it is uvicorn's own choice (``"auto"``), and
    everything goes through ASGI: slower, but the same.
    """
    if io is None:
        return "auto"
    try:
        from steinmetz.realtime.server.uvicorn import NativeDoor, with_doors
    except ImportError:
        return "auto"
    fast: type[Any] = with_doors(NativeDoor(io))
    return fast
