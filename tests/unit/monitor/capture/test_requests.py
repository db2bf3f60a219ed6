"""A scope for each request, without the cache."""

from __future__ import annotations

from typing import Any

import pytest

from steinmetz.monitor import RequestScopes
from steinmetz.sql import Scope, current_scope


class Route:
    path = "/invoices/{id}"


@pytest.mark.anyio
async def test_a_request_is_named_after_its_route_as_soon_as_that_is_known() -> None:
    names: list[str] = []
    scopes: list[Scope | None] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        current = current_scope()
        scopes.append(current)
        if current is not None:
            names.append(current.name)
            scope["route"] = Route()
            names.append(current.name)

    await RequestScopes(app)({"type": "http", "method": "GET", "path": "/invoices/7"}, None, None)  # type: ignore[arg-type]
    await RequestScopes(app)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
    assert names == ["GET (unrouted)", "GET /invoices/{id}"]
    assert scopes[1] is None
    assert current_scope() is None
