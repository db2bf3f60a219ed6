"""Programs of one cell: its servers, its Redis, and what is done to them meanwhile."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program, StartError, answers
from benchmarks.stale.clients import GoneError, OverHttp
from steinmetz.clock import SystemClock

ROOT = Path(__file__).resolve().parent.parent.parent
REST_S = 0.5
"""Between two things that are done to servers, at the beginning; between later ones up to eight times as long."""
REDIS_REST_S = 5.0
"""Between two things that are done to Redis: time enough to be trusted again."""


@dataclass(slots=True)
class Server:
    """One server that may die and is started again on its port."""

    command: Sequence[str | Path]
    port: int
    log: Path
    cores: frozenset[int]
    program: Program = field(init=False)

    def start(self) -> None:
        self.program = Program([*self.command, "--port", str(self.port)], log=self.log, cores=self.cores, cwd=ROOT)

    def is_up(self) -> bool:
        return answers(f"http://127.0.0.1:{self.port}/stats")()


@contextmanager
def servers(
    options: Sequence[str | Path], how_many: int, folder: Path, cores: frozenset[int]
) -> Iterator[list[Server]]:
    """``how_many`` servers with the same ``options``, ready to be asked."""
    started: list[Server] = []
    try:
        for number in range(how_many):
            command = [sys.executable, "-m", "benchmarks.stale.server", *options, "--seed", str(number)]
            server = Server(command, free_port(), folder / f"server-{number}.log", cores)
            server.start()
            started.append(server)
        for server in started:
            server.program.wait_until(server.is_up)
        yield started
    finally:
        for server in started:
            server.program.stop()


@dataclass(slots=True)
class Deaths:
    """When servers were found dead that had been told to die at a place of their next commit."""

    at_s: list[float] = field(default_factory=list)


async def keep_killing(several: Sequence[Server], door: OverHttp, deaths: Deaths, points: Sequence[str]) -> None:
    """Until cancelled: one server after the other dies at a point of its next commit, and is started again."""
    clock, number = SystemClock(), 0
    while True:
        await asyncio.sleep(REST_S * min(2**number, 8))
        server = several[number % len(several)]
        point = points[number % len(points)]
        number += 1
        try:
            await door.ask_at(server.port, "POST", f"/deadly?point={point}", [])
        except GoneError:
            continue
        while server.program.process.poll() is None:
            await _moment()
        deaths.at_s.append(clock.monotonic_s())
        server.start()
        while not await asyncio.to_thread(server.is_up):
            await _moment()


async def _moment() -> None:
    await asyncio.sleep(0.005)


# -- Redis


class Redis:
    """A Redis of our own, to be ill-treated."""

    def __init__(self, folder: Path, cores: frozenset[int]) -> None:
        found = shutil.which("redis-server") or shutil.which("valkey-server")
        if found is None:
            raise StartError("no Redis: apt-get install redis-server")
        self.port = free_port()
        self._command = [
            found,
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self._folder = folder
        self._cores = cores
        self._start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _start(self) -> None:
        self.program = Program(self._command, log=self._folder / "redis.log", cores=self._cores, cwd=self._folder)

    async def keep_disturbing(self, rest_s: float = REDIS_REST_S) -> None:
        """Until cancelled: flush it, stop it for a while, kill it and start an empty one."""
        while True:
            await asyncio.sleep(rest_s)
            await self._flush()
            await asyncio.sleep(rest_s)
            self.program.process.send_signal(signal.SIGSTOP)
            try:
                await asyncio.sleep(rest_s / 5)
            finally:
                self.program.process.send_signal(signal.SIGCONT)
            await asyncio.sleep(rest_s)
            os.kill(self.program.pid, signal.SIGKILL)
            await asyncio.to_thread(self.program.process.wait)
            await asyncio.sleep(rest_s / 5)
            self._start()

    async def _flush(self) -> None:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(b"FLUSHALL\r\n")
            await reader.readline()
            writer.close()
        except OSError:
            pass

    def stop(self) -> None:
        self.program.stop()
