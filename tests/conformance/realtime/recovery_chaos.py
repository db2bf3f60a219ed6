"""Stock clients are torn away from a numbering server in every way, and judged by what they heard in the end.

usage: python -m tests.conformance.realtime.recovery_chaos [RETURNS] [SEED]        1,000 unless told otherwise
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.conformance.realtime.recovery_checker import Judge
from tests.conformance.realtime.test_stock_client import CLIENT, node
from tests.ports import free_port

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
TRANSPORTS = (["websocket"], ["websocket"], ["polling"], ["polling", "websocket"])


class Line:
    """One client's door to the server. It can be cut (both sides hear it) or frozen (the server does not)."""

    def __init__(self, upstream: Callable[[], int]) -> None:
        """``upstream`` says to which port the next connection goes."""
        self._upstream = upstream
        self._pairs: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter, list[asyncio.Task[None]]]] = []
        self._frozen: list[asyncio.StreamWriter] = []
        self._may_pass = asyncio.Event()
        self._may_pass.set()
        self.port = 0

    async def open(self) -> None:
        self._door = await asyncio.start_server(self._enter, "127.0.0.1", 0)
        self.port = self._door.sockets[0].getsockname()[1]

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await self._may_pass.wait()
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream())
        except OSError:
            writer.close()
            return
        pumps = [
            asyncio.create_task(self._pump(reader, up_writer)),
            asyncio.create_task(self._pump(up_reader, writer)),
        ]
        self._pairs.append((writer, up_writer, pumps))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()

    def tear(self, *, half_open: bool) -> None:
        """End all connections; ``half_open``: the server's ends stay, and nobody is behind them."""
        pairs, self._pairs = self._pairs, []
        for writer, up_writer, pumps in pairs:
            for pump in pumps:
                pump.cancel()
            writer.transport.abort()
            if half_open:
                self._frozen.append(up_writer)
            else:
                up_writer.transport.abort()

    def shut(self) -> None:
        """Let nobody pass until `reopen`."""
        self._may_pass.clear()

    def reopen(self) -> None:
        self._may_pass.set()

    async def close(self) -> None:
        self._door.close()
        self.tear(half_open=False)
        for writer in self._frozen:
            writer.transport.abort()


@dataclass
class Chaos:
    """One run: ``clients`` stock clients, torn away ``returns`` times altogether."""

    returns: int
    clients: int = 16
    seed: int = 1
    kills: int = 2
    judge: Judge = field(default_factory=Judge)
    ways: Counter[str] = field(default_factory=Counter)
    said: dict[str, dict[str, int]] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)

    async def run(self) -> None:
        self._dice = random.Random(self.seed)
        self._port = free_port()
        self._connects: Counter[str] = Counter()
        self._here: set[str] = set()
        self._news = asyncio.Condition()
        self._lines: dict[str, Line] = {}
        self._readers: list[asyncio.Task[None]] = []
        await self._start_server()
        self._node = await asyncio.create_subprocess_exec(
            node(), str(HERE / "recovery_client.mjs"), str(CLIENT), stdin=PIPE, stdout=PIPE, limit=1 << 24
        )
        self._readers.append(asyncio.create_task(self._read_clients(self._node)))
        try:
            for number in range(self.clients):
                await self._add(f"c{number}", TRANSPORTS[number % len(TRANSPORTS)])
            share = self.returns // self.clients
            alive = asyncio.gather(*(self._torment(name, share) for name in self._lines))
            for _ in range(self.kills):
                goal = self.ways.total() + self.returns // (self.kills + 1)
                while self.ways.total() < goal and not alive.done():
                    await asyncio.sleep(0.01)
                await self._kill_server()
            await alive
            await self._finish()
        finally:
            await self._end()

    def _choose(self) -> int:
        return self._port

    # -- the server ---------------------------------------------------------------------------------------------

    async def _start_server(self) -> None:
        module = "tests.conformance.realtime.recovery_server"
        self._server = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, str(self._port), stdin=PIPE, stdout=PIPE, cwd=ROOT, limit=1 << 24
        )
        self._ready = asyncio.Event()
        self._readers.append(asyncio.create_task(self._read_server(self._server)))
        await asyncio.wait_for(self._ready.wait(), 30)

    async def _read_server(self, server: Process) -> None:
        assert server.stdout is not None
        async for line in server.stdout:
            kind, *rest = json.loads(line)
            if kind == "begin":
                self.judge.begins(*rest)
            elif kind == "said":
                self.said, self.outcomes = rest
            self._ready.set()
            async with self._news:
                self._news.notify_all()

    async def _kill_server(self) -> None:
        """As kill -9 does: nobody says goodbye, and what it remembered is gone."""
        self.ways["server killed"] += self.clients
        self._server.kill()
        await self._server.wait()
        await self._start_server()

    # -- the clients --------------------------------------------------------------------------------------------

    def _tell(self, **command: object) -> None:
        assert self._node.stdin is not None
        self._node.stdin.write(json.dumps(command).encode() + b"\n")

    async def _read_clients(self, clients: Process) -> None:
        assert clients.stdout is not None
        async for line in clients.stdout:
            name, namespace, what, *rest = json.loads(line)
            if what == "n":
                self.judge.hears(name, namespace, *rest)
                continue
            if what == "connect":
                self.judge.connects(name, namespace, *rest)
                self._connects[f"{name}{namespace}"] += 1
                if namespace == "/":
                    self._here.add(name)
            elif what == "disconnect":
                self.judge.disconnects(name, namespace)
                if namespace == "/":
                    self._here.discard(name)
            elif what == "copied":
                self.judge.copies(name, namespace, rest[0])
            elif what == "left":
                self.judge.leaves(name)
            async with self._news:
                self._news.notify_all()

    async def _until(self, condition: object, within_s: float = 20.0) -> None:
        assert callable(condition)
        async with asyncio.timeout(within_s), self._news:
            await self._news.wait_for(condition)

    async def _add(self, name: str, transports: list[str]) -> None:
        line = self._lines[name] = Line(self._choose)
        await line.open()
        self._tell(does="connect", name=name, url=f"http://127.0.0.1:{line.port}", transports=transports)
        await self._until(lambda: self._connects[f"{name}/"] and self._connects[f"{name}/quiet"])

    async def _torment(self, name: str, times: int) -> None:
        for _ in range(times):
            way = self._dice.choice(["half-open", "half-open", "cut", "before it has settled", "away", "copied"])
            self.ways[way] += 1
            with contextlib.suppress(TimeoutError):
                await self._tear(name, way)

    async def _tear(self, name: str, way: str) -> None:
        line, before = self._lines[name], self._connects[f"{name}/"]
        if way == "copied":
            await self._copy(name)
            return
        if way == "away":
            line.shut()
        is_half_open = way == "half-open" or self._dice.random() < 0.3
        # Between two polls there is nothing to tear; and who is not there cannot be torn away.
        while name in self._here and self._connects[f"{name}/"] == before:
            line.tear(half_open=is_half_open)
            with contextlib.suppress(TimeoutError):
                await self._until(lambda: name not in self._here, 0.1)
        if way == "away":
            await asyncio.sleep(self._dice.uniform(0.02, 0.3))
            line.reopen()
        await self._until(lambda: self._connects[f"{name}/"] > before)
        if way != "before it has settled":
            await asyncio.sleep(self._dice.uniform(0.0, 0.1))

    async def _copy(self, name: str) -> None:
        copy = f"{name}-copy{self.ways['copied']}"
        self._tell(does="copy", name=copy, of=name, url=f"http://127.0.0.1:{self._choose()}")
        # A copy does not try again: one that met a server that was just killed never connects.
        with contextlib.suppress(TimeoutError):
            await self._until(lambda: self._connects[f"{copy}/"], 2.0)
        self._tell(does="leave", name=copy)

    # -- the end ------------------------------------------------------------------------------------------------

    async def _finish(self) -> None:
        """Everybody is let be, the server says its last numbers, and everybody must have heard them."""
        assert self._server.stdin is not None
        self._server.stdin.write(b"hush\n")
        await self._until(lambda: bool(self.said))
        give_up = time.monotonic() + 15
        while self.judge.lacks(self.said) and time.monotonic() < give_up:
            await asyncio.sleep(0.02)
        self.judge.problems += self.judge.lacks(self.said)

    async def _end(self) -> None:
        for process in (self._node, self._server):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        for line in self._lines.values():
            await line.close()
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)


def main() -> int:
    returns, seed = (int(sys.argv[place]) if len(sys.argv) > place else (1_000, 1)[place - 1] for place in (1, 2))
    chaos = Chaos(returns, seed=seed)
    asyncio.run(chaos.run())
    judge = chaos.judge
    print(f"{dict(chaos.ways)}; heard {judge.heard} events")
    print(f"recovered {judge.recovered}, {judge.silent_returns} of them silent before; anew {judge.anew}")
    print(f"the last server says: {chaos.outcomes}")
    for problem in judge.problems[:20]:
        print("PROBLEM", problem)
    return len(judge.problems)


if __name__ == "__main__":
    sys.exit(bool(main()))
