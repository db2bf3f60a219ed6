"""What does a schema cost an event, beyond what the model's own validation does?

CPU time of this process, each variant in interleaved rounds. A session in memory gets the text of an EVENT packet
with an acknowledgement, its handler answers; the same with a typed event and with its model asked directly, in the
handler: the difference of those two is what the schema costs. Likewise an emission to one socket.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from benchmarks.harness.confidence import median
from benchmarks.harness.options import Options
from benchmarks.harness.report import Report, at_most
from benchmarks.harness.rounds import interleaved
from steinmetz.realtime import Config, Event, Limits, Server
from steinmetz.realtime.engineio.handshake import TransportName
from steinmetz.realtime.server.transport import Transport
from steinmetz.realtime.testing import connect

TARGET_NS = 3_000


class Say(BaseModel):
    model_config = ConfigDict(extra="forbid")

    channel: Annotated[str, Field(max_length=60)]
    text: Annotated[str, Field(max_length=4_000)]
    key: str | None = None


class Said(BaseModel):
    ok: Literal[True] = True
    id: int


class Heard(BaseModel):
    id: int
    channel: str
    text: str


SAY, HEARD = Event("say", Say, ack=Said), Event("heard", Heard)
SENT = {"channel": "general", "text": "Der Prüfstand ist wieder frei."}
TOLD = {"id": 7, **SENT}
READS, WRITES, HEARS = TypeAdapter(Say), TypeAdapter(Said), TypeAdapter(Heard)
JSON: dict[str, Any] = {"mode": "json", "by_alias": True, "warnings": "error"}


def run(options: Options) -> Report:
    rounds, times = (7, 5_000) if options.quick else (15, 20_000)
    measured = interleaved(rounds, _variants(times), options.say)
    report = Report(
        notes=["medians of the rounds, CPU time; an event with its acknowledgement, an emission to one"]
    )
    costs = {name: median(values) for name, values in measured.items()}
    for name, cost in costs.items():
        report.add(name, round(cost), "ns")
    beyond = {
        way: max(0, round(costs[f"{way}, typed"] - costs[f"{way}, the model alone"]))
        for way in ("event in", "emission of an instance", "emission of a dict")
    }
    for way, cost in beyond.items():
        report.add(f"{way}: beyond the model", cost, "ns")
    report.targets = [at_most(f"{way}: beyond the model", cost, TARGET_NS, "ns") for way, cost in beyond.items()]
    return report


def _variants(times: int) -> dict[str, Callable[[], float]]:
    """Each variant on a server of its own, so that none has the other's handlers."""
    instance = Heard(**TOLD)  # type: ignore[arg-type]
    emits: dict[str, tuple[Event | str, Callable[[], Any]]] = {
        "emission of an instance, typed": (HEARD, lambda: instance),
        "emission of an instance, the model alone": ("heard", lambda: HEARS.dump_python(instance, **JSON)),
        "emission of a dict, typed": (HEARD, lambda: TOLD),
        "emission of a dict, the model alone": (
            "heard",
            lambda: HEARS.validate_python(TOLD, strict=True) and TOLD,
        ),
        "emission of a dict, plain": ("heard", lambda: TOLD),
    }
    handlers: dict[str, tuple[Event | str, Callable[..., Any]]] = {
        "event in, typed": (SAY, lambda socket, said: Said(id=7)),
        "event in, the model alone": ("say", _by_hand),
        "event in, plain": ("say", lambda socket, said: {"ok": True, "id": 7}),
    }
    variants: dict[str, Callable[[], float]] = {}
    for name, (event, handler) in handlers.items():
        variants[name] = partial(_ran, _inbound, event, handler, times)
    for name, (event, make) in emits.items():
        variants[name] = partial(_ran, _outbound, event, make, times)
    return variants


def _ran(way: Callable[..., Coroutine[Any, Any, float]], *arguments: Any) -> float:
    return asyncio.run(way(*arguments))


def _checked() -> Any:
    HEARS.validate_python(TOLD, strict=True)
    return TOLD


def _by_hand(_socket: Any, said: Any) -> Any:
    READS.validate_python(said, strict=True)
    return WRITES.dump_python(Said(id=7), **JSON)


async def _inbound(event: Event | str, handler: Callable[..., Any], times: int) -> float:
    io = Server(Config(require_auth=False, limits=Limits(bytes_per_connection=None)))
    io.on(event, handler)
    async with connect(io):
        (socket,) = io.sockets.sockets.values()
        client, own, nowhere = socket.client, socket.client.transport, cast("Transport", Nowhere())
        client.transport = nowhere
        message = '421["say",{"channel":"general","text":"Der Prüfstand ist wieder frei."}]'
        cost = _each(lambda: client.receive(message, nowhere), times)
        client.transport = own
    await io.shutdown()
    return cost


async def _outbound(event: Event | str, make: Callable[[], Any], times: int) -> float:
    io = Server(Config(require_auth=False, limits=Limits(bytes_per_connection=None)))
    async with connect(io):
        (socket,) = io.sockets.sockets.values()
        client, own, nowhere = socket.client, socket.client.transport, cast("Transport", Nowhere())
        client.transport = nowhere
        cost = _each(lambda: socket.emit(event, make()), times)
        client.transport = own
    await io.shutdown()
    return cost


class Nowhere:
    """A transport that is always ready and sends nothing."""

    name, queued_bytes, is_ready = TransportName.WEBSOCKET, 0, True

    def send(self, _outgoing: Any) -> None:
        pass


def _each(act: Callable[[], Any], times: int) -> float:
    """Nanoseconds of CPU for one ``act``."""
    began = time.process_time_ns()
    for _ in range(times):
        act()
    return (time.process_time_ns() - began) / times
