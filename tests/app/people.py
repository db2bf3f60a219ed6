"""Several people side by side, each with a browser: HTTP and a socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx2

from steinmetz.erp.main import Application
from steinmetz.realtime.testing import InProcessClient, connect

Arrive = Callable[..., Awaitable["Person"]]


async def data(answer: Awaitable[httpx2.Response], status: int = 200) -> Any:
    """The data of an answer that must have ``status``."""
    done = await answer
    assert done.status_code == status, done.text
    body = done.json()
    assert body["success"] is True
    return body["data"]


async def problem(answer: Awaitable[httpx2.Response], status: int) -> dict[str, Any]:
    """The document of a refusal that must have ``status``."""
    done = await answer
    assert done.status_code == status, done.text
    assert done.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = done.json()
    assert body["success"] is False
    return body


@dataclass(eq=False)
class Person:
    id: int
    name: str
    http: httpx2.AsyncClient
    socket: InProcessClient

    def heard(self, event: str) -> list[dict[str, Any]]:
        """The payloads of every such event so far."""
        return [arguments[0] for name, arguments in self.socket.events if name == event]


async def arrived(
    stack: AsyncExitStack, app: Application, http: httpx2.AsyncClient, email: str, password: str
) -> Person:
    """Sign in and connect."""
    given = await data(http.post("/api/auth/login", json={"email": email, "password": password}))
    http.headers["Authorization"] = f"Bearer {given['accessToken']}"
    assert app.state.io is not None
    socket = await stack.enter_async_context(connect(app.state.io, auth={"token": given["accessToken"]}))
    return Person(given["user"]["id"], given["user"]["name"], http, socket)
