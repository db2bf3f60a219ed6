"""Two servers on one PostgreSQL and one Redis, a foreign client at each: they are one."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.e2e.listeners import js_listener, python_listener
from tests.e2e.server import running_server
from tests.e2e.test_main_job import sign_in

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]


@pytest.mark.parametrize("company", ["postgresql"], indirect=True)
async def test_what_is_said_at_one_server_is_heard_at_the_other(
    company: tuple[Path, str | None], redis_url: str
) -> None:
    folder, database_url = company
    where: dict[str, Any] = {"database_url": database_url, "STEINMETZ_REDIS_URL": redis_url}
    with running_server(folder, **where) as first, running_server(folder, **where) as second:
        async with (
            httpx2.AsyncClient(base_url=first.url) as here,
            httpx2.AsyncClient(base_url=second.url) as there,
        ):
            token = await sign_in(here, "clerk")
            here.headers["Authorization"] = there.headers["Authorization"] = f"Bearer {token}"
            while (await here.get("/readyz")).json()["checks"]["realtime"] != "ok":
                pass
            async with (
                python_listener(first.url, token, "websocket", "chat:message") as one,
                js_listener(second.url, token, "websocket", "chat:message") as two,
            ):
                for listener in (one, two):
                    await listener.next("connect")
                for http, text in ((here, "von hier"), (there, "von dort")):
                    answer = await http.post("/api/chat/channels/general/messages", json={"text": text})
                    assert answer.status_code == 201, answer.text
                    for listener in (one, two):
                        assert (await listener.next("event"))["payload"]["text"] == text
                os.kill(first.pid, signal.SIGKILL)
                answer = await there.post("/api/chat/channels/general/messages", json={"text": "allein"})
                assert answer.status_code == 201, answer.text
                assert (await two.next("event"))["payload"]["text"] == "allein"
                two.assert_silent()
