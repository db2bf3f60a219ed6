"""Expiry, renewal, revocation and limits as foreign clients see them, over every transport, through both doors."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import socketio

from tests.conformance.realtime.guarded import serving
from tests.conformance.realtime.test_stock_client import CLIENT, node

pytestmark = pytest.mark.anyio

SCRIPT = Path(__file__).parent / "security_client.mjs"
SCENARIOS = re.findall(r'^  async "(.+)"\(place\)', SCRIPT.read_text(), re.MULTILINE)
TRANSPORTS = ["websocket", "polling", "upgrade"]
PEOPLE = count()


@pytest.fixture(scope="module")
def doors() -> Iterator[dict[str, str]]:
    with serving() as addresses:
        yield addresses


@pytest.fixture(scope="module")
def outcomes(doors: dict[str, str]) -> dict[tuple[str, str, str], str | None]:
    if not CLIENT.exists():
        if os.environ.get("STEINMETZ_STRICT"):
            pytest.fail(f"{CLIENT} is missing: run `python3 dev.py test`, which installs it")
        pytest.skip("web/node_modules has no socket.io-client; `python3 dev.py test` installs it")
    names = {url: door for door, url in doors.items()}
    done = subprocess.run(
        [node(), str(SCRIPT), str(CLIENT), *names], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {(names[line["url"]], line["transport"], line["name"]): line["problem"] for line in lines}


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("door", ["asgi", "native"])
def test_the_stock_client(
    outcomes: dict[tuple[str, str, str], str | None], door: str, transport: str, scenario: str
) -> None:
    assert outcomes[door, transport, scenario] is None


# -- python-socketio's client: every scenario on all transports of both doors at once --------------------------


class Guest:
    """One connection of python-socketio's client."""

    def __init__(self, client: socketio.AsyncClient, user: str) -> None:
        self.client = client
        self.user = user
        self.heard: asyncio.Queue[tuple[Any, ...]] = asyncio.Queue()
        self.gone: asyncio.Queue[tuple[str, float]] = asyncio.Queue()
        client.on("*", lambda event, *args: self.heard.put_nowait((event, *args)))
        client.on("disconnect", lambda reason: self.gone.put_nowait((reason, time.time())))

    async def hears(self, event: str) -> tuple[Any, ...]:
        async with asyncio.timeout(10):
            while (heard := await self.heard.get())[0] != event:
                pass
        return heard[1:]

    async def call(self, event: str, *args: Any) -> Any:
        return await self.client.call(event, args, timeout=10)


Visit = Callable[..., Any]
Scenario = Callable[[Visit], Awaitable[None]]


async def everywhere(doors: dict[str, str], scenario: Scenario) -> None:
    def visit_of(url: str, transports: list[str] | None) -> Visit:
        @asynccontextmanager
        async def visit(user: str = "", reconnection: bool = False, **auth: Any) -> AsyncIterator[Guest]:
            number = next(PEOPLE)
            guest = Guest(
                socketio.AsyncClient(reconnection=reconnection, reconnection_delay=0.02, randomization_factor=0),
                user or f"python-{number}",
            )
            await guest.client.connect(
                url,
                auth={"token": guest.user, **auth},
                headers={"X-Forwarded-For": f"198.18.{number >> 8}.{number & 255}"},
                transports=transports,
                wait_timeout=20,
            )
            try:
                yield guest
            finally:
                await guest.client.disconnect()

        return visit

    ways = [(url, way) for url in doors.values() for way in (["websocket"], ["polling"], None)]
    await asyncio.gather(*(scenario(visit_of(url, way)) for url, way in ways))


async def test_python_its_credential_ends_within_a_second(doors: dict[str, str]) -> None:
    async def scenario(visit: Visit) -> None:
        async with visit(lifeMs=600) as guest, visit() as witness:
            (welcome,) = await guest.hears("welcome")
            async with asyncio.timeout(5):
                reason, at_s = await guest.gone.get()
            assert reason in ("transport close", "transport error")
            assert at_s > welcome["expiresAtMs"] / 1000 - 0.005
            assert 0 <= await witness.call("late", guest.user) < 1000

    await everywhere(doors, scenario)


async def test_python_it_comes_back_with_what_it_has(doors: dict[str, str]) -> None:
    async def scenario(visit: Visit) -> None:
        async with visit(reconnection=True, lifeMs=300, canRenew=True) as guest:
            first = guest.client.get_sid()
            await guest.hears("welcome")
            await guest.hears("welcome")
            assert guest.client.get_sid() != first

    await everywhere(doors, scenario)


async def test_python_it_renews_in_band_and_misses_nothing(doors: dict[str, str]) -> None:
    async def scenario(visit: Visit) -> None:
        async with visit() as other, visit(lifeMs=2_500) as guest:
            (welcome,) = await guest.hears("welcome")
            for number in range(40):
                await other.client.emit("say", (f"user:{guest.user}", number))
                if number == 3:
                    assert await guest.call("refresh", 60_000) > welcome["expiresAtMs"]
                await asyncio.sleep(0.01)
            while time.time() < welcome["expiresAtMs"] / 1000 + 0.3:
                await asyncio.sleep(0.02)
            assert [(await guest.hears("said"))[1] for _ in range(40)] == list(range(40))
            assert guest.client.connected

    await everywhere(doors, scenario)


async def test_python_it_is_revoked_and_not_let_in_again(doors: dict[str, str]) -> None:
    async def scenario(visit: Visit) -> None:
        async with visit() as guest, visit() as other:
            await other.client.emit("revoke", guest.user)
            async with asyncio.timeout(5):
                reason, _ = await guest.gone.get()
            assert reason in ("server disconnect", "io server disconnect")
            with pytest.raises(socketio.exceptions.ConnectionError):
                async with visit(guest.user):
                    pass

    await everywhere(doors, scenario)


async def test_python_it_is_told_what_is_too_much(doors: dict[str, str]) -> None:
    async def scenario(visit: Visit) -> None:
        async with visit() as guest:
            assert [await guest.call("rare") for _ in range(2)] == ["done", "done"]
            refusal = await guest.call("rare")
            assert refusal["error"]["code"] == "rate_limited"
            assert (await guest.call("room:join", "user:5"))["error"]["code"] == "forbidden"
            async with visit(guest.user):
                with pytest.raises(socketio.exceptions.ConnectionError):
                    async with visit(guest.user):
                        pass

    await everywhere(doors, scenario)


def test_there_are_scenarios() -> None:
    assert len(SCENARIOS) >= 15
