"""Real worker processes that die when they are told to, or where they are told to, and what their clients hear.

They are forked from a server that has imported everything, so that a death costs milliseconds and not seconds.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from pydantic import Field

from steinmetz.erp.db import Database, Unit
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.schemas import Input
from steinmetz.erp.migrations.schema import schema
from steinmetz.erp.modules.batch.events import Listeners
from steinmetz.erp.modules.batch.kinds.port import Document, Kind, Payload, Plan
from steinmetz.erp.modules.batch.tasks import Point, Worker
from steinmetz.erp.modules.system.service import audit
from steinmetz.realtime import Event

ACTION = "test.mark"

schema()


class MarkParameters(Input):
    items: int = Field(ge=0)
    poison: int = 0
    """The position of an item that kills its process; 0 for none."""


async def _plan(unit: Unit, wanted: MarkParameters) -> Plan:
    payloads = [{"mark": mark} for mark in range(1, wanted.items + 1)]
    return Plan(payloads, wanted.model_dump())


async def _run(unit: Unit, parameters: Payload, payload: Payload) -> str:
    """The effect of an item is an entry of the audit log: no constraint there would hide a second one."""
    audit.record(unit, ACTION, "test", payload["mark"])
    await unit.session.flush()
    if payload["mark"] == parameters["poison"]:
        os.kill(os.getpid(), signal.SIGKILL)
    return f"{payload['mark']}\n"


MARK = Kind(
    "test.mark",
    MarkParameters,
    lambda wanted: Role.CLERK,
    _plan,
    _run,
    lambda kept: Document("marks.txt", "text/plain"),
)
KINDS = {MARK.name: MARK}


def live(url: str, heard: str, workers: int, death: tuple[Point, int] | None) -> None:
    """The life of one process: work until killed; die by itself when ``death``'s point is reached so often."""
    asyncio.run(_live(url, heard, workers, death))


async def _live(url: str, heard: str, workers: int, death: tuple[Point, int] | None) -> None:
    events = os.open(heard, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    reached: Counter[Point] = Counter()

    def note(point: Point) -> None:
        reached[point] += 1
        if (point, reached[point]) == death:
            os.kill(os.getpid(), signal.SIGKILL)

    def emit(rooms: tuple[str, ...], event: Event, payload: dict[str, Any]) -> None:
        os.write(events, json.dumps([event.name, payload]).encode() + b"\n")

    database = Database(url)
    listeners = Listeners(database, None, emit=emit)
    worker = Worker(database, listeners, workers=workers, kinds=KINDS, reached=note)
    await listeners.start()
    await worker.start()
    await asyncio.Event().wait()


@dataclass
class Processes:
    """Worker processes of one database; each has a file of what its clients hear."""

    url: str
    folder: Path
    workers: int = 2
    _living: dict[int, BaseProcess] = field(default_factory=dict)
    _born: int = 0

    def __post_init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["pytest", __name__])

    def start(self, death: tuple[Point, int] | None = None) -> int:
        """A new process; its number."""
        self._born += 1
        number = self._born
        arguments = (self.url, str(self._file(number)), self.workers, death)
        process = self._context.Process(target=live, args=arguments, daemon=True)
        process.start()
        self._living[number] = process
        return number

    def kill(self, number: int) -> None:
        """``kill -9``, by its pid."""
        process = self._living.pop(number)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()

    def bury(self) -> list[int]:
        """Those that have died by themselves since."""
        dead = [number for number, process in self._living.items() if not process.is_alive()]
        for number in dead:
            self._living.pop(number).join()
        return dead

    @property
    def living(self) -> list[int]:
        return sorted(self._living)

    def kill_all(self) -> None:
        for number in self.living:
            self.kill(number)

    def heard(self, number: int) -> list[tuple[str, dict[str, Any]]]:
        file = self._file(number)
        lines = file.read_bytes().splitlines() if file.exists() else []
        return [(event, payload) for event, payload in map(json.loads, lines)]

    def everything_heard(self) -> list[list[tuple[str, dict[str, Any]]]]:
        return [self.heard(number) for number in range(1, self._born + 1)]

    def _file(self, number: int) -> Path:
        return self.folder / f"heard-{number}.jsonl"
