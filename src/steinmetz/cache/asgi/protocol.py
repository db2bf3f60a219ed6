"""The types of ASGI 3, and the one thing a response that was not streamed consists of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steinmetz.cache.asgi.admission import Principal

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
HeaderList = list[tuple[bytes, bytes]]

Finish = Callable[[Scope, int, HeaderList], Iterable[tuple[bytes, bytes]]]
"""(request scope, status, headers) -> headers: adds what belongs to one response only (trap T17)."""


OnAdmitted = Callable[[Scope, "Principal"], None]
"""(request scope, who asks): heard for every request of a proven caller, hit or not, before it is answered. What
it raises goes to whoever called the cache, so a rate limit refuses in its own words."""


def route_path(scope: Scope) -> str:
    """The path below the application's ``root_path``, as routers see it."""
    path: str = scope["path"]
    root: str = scope.get("root_path") or ""
    if root and path.startswith(root) and (len(path) == len(root) or path[len(root)] == "/"):
        return path[len(root) :]
    return path
