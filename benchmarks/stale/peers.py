"""The same clients at other caches: what each shows of the past, with its own invalidation after the commit."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.peers import Missing, python_packages
from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program, StartError, answers
from benchmarks.stale.clients import Client, Notes, OverHttp, run, truth
from benchmarks.stale.histories import Verdict, judge
from benchmarks.stale.servers import ROOT
from benchmarks.stale.shop import fill, made_engine
from steinmetz.clock import SystemClock

APPLICATION = Path(__file__).resolve().parent.parent / "load" / "stale_peer.py"
CLIENTS = 16
WRITE_SHARE = 0.1
_SERVER = ("uvicorn==0.35.0", "aiosqlite==0.21.0")
_FASTAPI = ("fastapi==0.116.1", *_SERVER)


@dataclass(frozen=True, slots=True)
class Peer:
    name: str
    requirements: tuple[str, ...]


PEERS = (
    Peer("fastapi-cache2", ("fastapi-cache2==0.2.2", *_FASTAPI)),
    Peer("cashews", ("cashews==7.6.0", *_FASTAPI)),
    Peer("aiocache", ("aiocache==0.12.3", *_FASTAPI)),
    Peer("litestar", ("litestar==2.16.0", "sniffio==1.3.1", *_SERVER)),
)
OURSELVES = Peer("steinmetz", ())
"""The same clients at our own server, for comparison."""


@dataclass(frozen=True, slots=True)
class Shown:
    notes: Notes
    verdict: Verdict
    seconds: float


def play(peer: Peer, operations: int, *, cores: frozenset[int], seed: int) -> Shown | Missing:
    python: Path | Missing = Path(sys.executable)
    if peer is not OURSELVES:
        python = python_packages(f"stale-{peer.name}", peer.requirements)
    if isinstance(python, Missing):
        return python
    with tempfile.TemporaryDirectory(prefix="steinmetz-stale-") as made:
        folder, port = Path(made), free_port()
        file = folder / "shop.db"
        asyncio.run(_filled(file))
        command: list[str | Path] = [python, APPLICATION, peer.name, str(port), file]
        if peer is OURSELVES:
            url = f"sqlite+aiosqlite:///{file}"
            command = [python, "-m", "benchmarks.stale.server", "--url", url, "--port", str(port)]
            command += ["--chance", "0.2", "--longest", "0.01"]
        try:
            program = Program(command, log=folder / "peer.log", cores=cores, cwd=ROOT)
            try:
                program.wait_until(answers(f"http://127.0.0.1:{port}/item/0"))
                return asyncio.run(_asked(file, port, operations, seed))
            finally:
                program.stop()
        except StartError as error:
            return Missing(peer.name, str(error))


async def _filled(file: Path) -> None:
    engine = made_engine(f"sqlite+aiosqlite:///{file}")
    await fill(engine)
    await engine.dispose()


async def _asked(file: Path, port: int, operations: int, seed: int) -> Shown:
    notes, door, clock = Notes(), OverHttp([port], seed), SystemClock()
    clients = [
        Client(number, door, notes, seed=seed, write_share=WRITE_SHARE, reads={"item": 1}, kinds=["core"])
        for number in range(CLIENTS)
    ]
    started_s = clock.monotonic_s()
    await run(clients, operations, notes=notes)
    seconds = clock.monotonic_s() - started_s
    door.close()
    engine = made_engine(f"sqlite+aiosqlite:///{file}")
    known = await truth(engine, notes)
    await engine.dispose()
    return Shown(notes, judge(known.states, notes.reads), seconds)
