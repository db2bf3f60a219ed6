"""A scope for each HTTP request, for applications that use the monitor without the cache.

The scope is named after the route's template, which Starlette-like applications leave in ``scope["route"]`` once
they have found it: ``GET /invoices/{id}``, and ``GET (unrouted)`` until then and where there is none.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from steinmetz.sql.scope import Scope, ScopeKind, entered

ASGIApp = Callable[[MutableMapping[str, Any], Callable[..., Any], Callable[..., Any]], Awaitable[None]]

UNROUTED = "(unrouted)"


class RequestScope(Scope):
    """The scope of one request; its name is known as soon as its route is."""

    __slots__ = ("_request",)

    def __init__(self, request: MutableMapping[str, Any]) -> None:
        self._request = request
        super().__init__(ScopeKind.REQUEST, "")

    @property
    def name(self) -> str:
        template = getattr(self._request.get("route"), "path", None) or UNROUTED
        return f"{self._request['method']} {template}"

    @name.setter
    def name(self, name: str) -> None:
        pass


class RequestScopes:
    """Pure ASGI: ``app = RequestScopes(app)`` gives every request's statements a scope."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with entered(RequestScope(scope)):
            await self.app(scope, receive, send)
