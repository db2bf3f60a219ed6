"""Every short upgrade there is: polls in flight, probes that are lost or lie, time that runs out.

Whatever happens, each message of the server reaches the client once and in order, by poll or by WebSocket, and so
does each of the client's; or the session has ended. With ``LONG_TESTS=1`` upgrades are one step longer.
"""

from __future__ import annotations

import asyncio
import itertools
import os

import orjson
import pytest

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, RealtimeApp, Server
from steinmetz.realtime.engineio.session import State
from steinmetz.realtime.errors import HandshakeError
from steinmetz.realtime.server.client import Client
from tests.conformance.realtime.recording import Recording
from tests.unit.realtime.server.asgi_driver import Exchange, opened

LENGTH = 5 if os.environ.get("LONG_TESTS") else 4
CONFIG = Config(require_auth=False, ping_interval_s=1_000, upgrade_timeout_s=10)

STEPS = ("probe", "2probe", "5", "lie", "lost", "poll", "emit", "post", "time")
PRELUDES: tuple[tuple[str, ...], ...] = ((), ("probe", "2probe"), ("poll", "probe", "emit"))
"""What has happened before: so that the long upgrades are among the short ones."""


class Upgrade:
    """A client that polls and probes, and counts what it says and hears."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.io = Server(CONFIG, clock=self.clock)
        self.app = RealtimeApp(self.io)
        self.taken: list[int] = []
        self.io.on("take", lambda _socket, number: self.taken.append(number))
        self.heard: list[int] = []
        self.said = self.emitted = 0
        self.probe: Recording | None = None
        self.polls: list[asyncio.Task[Exchange]] = []
        self.ended = False

    async def begin(self) -> None:
        self.query = await opened(self.app)
        await Exchange(self.app, "POST", self.query, b"40").run()
        await Exchange(self.app, query=self.query).run()
        [self.client] = self.io.clients.values()

    async def step(self, step: str) -> None:
        match step:
            case "probe":
                await self._open_probe(self.client)
            case "2probe" | "5" | "lie":
                self._say("4lie" if step == "lie" else step)
            case "lost" if self.probe is not None:
                self.client.transport_lost(self.probe)
                self.ended = self.client.transport is self.probe
                self.probe = None
            case "poll" if not self.polls:
                self.polls.append(asyncio.create_task(Exchange(self.app, query=self.query).run()))
            case "emit":
                self.io.emit("news", self.emitted)
                self.emitted += 1
            case "post":
                await self._post()
            case "time":
                self.clock.advance(10)
                self.io.wheel.run_due()
        for _ in range(4):
            await asyncio.sleep(0)
        self._collect()

    async def _open_probe(self, client: Client) -> None:
        websocket = Recording()
        if not client.open_probe(websocket):
            assert client.session.is_closed or client.session.state is not State.POLLING
        elif not self.ended:
            self.probe = websocket

    def _say(self, message: str) -> None:
        if self.probe is None or self.probe.is_closed:
            return
        was_ours = self.client.transport is self.probe
        self.client.receive(message, self.probe)
        if was_ours:
            # On the transport that carries the session a client says neither PING nor UPGRADE, and no nonsense.
            self.ended = True

    async def _post(self) -> None:
        exchange = await Exchange(self.app, "POST", self.query, b'42["take",%d]' % self.said).run()
        if exchange.status == 200:
            self.said += 1
        else:
            assert self.ended or self.client.session.state is State.WEBSOCKET

    def _collect(self) -> None:
        for poll in [poll for poll in self.polls if poll.done()]:
            self.polls.remove(poll)
            self._hear(poll.result().text.split("\x1e") if poll.result().status == 200 else [])
        if self.probe is not None:
            said, self.probe.said = self.probe.said, []
            self._hear(said)
            assert self.probe.after_the_end == []

    def _hear(self, packets: list[str | bytes]) -> None:
        for packet in packets:
            if isinstance(packet, str) and packet.startswith('42["news",'):
                self.heard.append(orjson.loads(packet[2:])[1])

    async def finish(self) -> None:
        """Hear what is left, and say one word more."""
        if not self.ended:
            if self.client.session.state is not State.WEBSOCKET:
                self.io.emit("news", self.emitted)
                self.emitted += 1
                await self.step("poll")
                await self.step("post")
            assert self.heard == list(range(self.emitted))
        assert self.heard == list(range(len(self.heard)))
        assert self.taken == list(range(self.said))
        self.client.transport_lost(self.client.transport)
        for _ in range(3):
            await asyncio.sleep(0)
        self._collect()
        assert self.polls == []
        assert self.io.clients == {}
        if (probe := self.client.probe) is not None:
            # An upgrade that had begun ends with the client's own word, so that the stock client notices the end.
            self.client.receive("5", probe)
        assert self.client.probe is None
        with pytest.raises(HandshakeError):
            self.io.sessions.client(self.client.session.sid)


@pytest.mark.parametrize("first", STEPS)
@pytest.mark.parametrize("prelude", PRELUDES, ids=["at once", "after a probe", "while it polls"])
def test_no_upgrade_loses_or_doubles_anything(prelude: tuple[str, ...], first: str) -> None:
    async def every_life() -> None:
        for rest in itertools.product(STEPS, repeat=LENGTH - 2):
            upgrade = Upgrade()
            steps = (*prelude, first, *rest)
            await upgrade.begin()
            try:
                for step in steps:
                    await upgrade.step(step)
                await upgrade.finish()
            except AssertionError as error:
                raise AssertionError(f"{', '.join(steps)}: {error}") from error
            await upgrade.io.shutdown()

    asyncio.run(every_life())
