"""Clients that read and write at random, and write down what they saw and when."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from math import inf
from random import Random
from typing import Any, Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.stale.histories import Fault, Read, Sight, Violation, Write
from benchmarks.stale.shop import GROUPS, ITEMS, PARENTS, USERS, WRITES
from steinmetz.clock import Clock, SystemClock

READS = {
    "item": 30, "view": 10, "group": 5, "joined": 3, "total": 4, "tally": 4, "child": 10, "mine": 20, "whoami": 10,
}  # fmt: skip
"""What is read, and how often."""
WRITE_KINDS = dict.fromkeys(WRITES, 1)
TOKEN = b"x-consistency-token"
CONNECT_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def is_hit(self) -> bool:
        return self.headers.get(b"x-cache") == b"HIT"


class GoneError(ConnectionError):
    """Nobody will say what became of the request."""


class Door(Protocol):
    """Where requests go in; raises `GoneError`."""

    async def ask(self, method: str, path: str, headers: list[tuple[bytes, bytes]]) -> Answer: ...


class InProcess:
    """An ASGI application, called without a network."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def ask(self, method: str, path: str, headers: list[tuple[bytes, bytes]]) -> Answer:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
            "headers": [(b"host", b"shop"), *headers], "client": ("127.0.0.1", 1), "server": ("shop", 80),
        }  # fmt: skip
        status, lines, parts = 0, list[tuple[bytes, bytes]](), list[bytes]()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status, lines
            if message["type"] == "http.response.start":
                status, lines = message["status"], message["headers"]
            else:
                parts.append(message.get("body", b""))

        await self._app(scope, receive, send)
        return Answer(status, dict(lines), b"".join(parts))


class OverHttp:
    """Several servers on 127.0.0.1, one taken at random for each request; connections are kept."""

    def __init__(self, ports: Sequence[int], seed: int) -> None:
        self._ports = ports
        self._random = Random(seed)
        self._idle: dict[int, list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = {p: [] for p in ports}

    async def ask(self, method: str, path: str, headers: list[tuple[bytes, bytes]]) -> Answer:
        return await self.ask_at(self._random.choice(self._ports), method, path, headers)

    async def ask_at(self, port: int, method: str, path: str, headers: list[tuple[bytes, bytes]]) -> Answer:
        lines = b"".join(b"%b: %b\r\n" % line for line in headers)
        length = b"content-length: 0\r\n" if method == "POST" else b""
        idle = self._idle[port]
        try:
            reader, writer = idle.pop() if idle else await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            await asyncio.sleep(CONNECT_AGAIN_S)  # as a client would; a dead server is no place to be quick at
            raise GoneError(str(error)) from None
        whole = False
        try:
            writer.write(f"{method} {path} HTTP/1.1\r\nhost: shop\r\n".encode() + lines + length + b"\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            first, *rest = head[:-4].split(b"\r\n")
            found = {name.lower(): value for name, _, value in (line.partition(b": ") for line in rest)}
            body = await reader.readexactly(int(found.get(b"content-length", b"0")))
            whole = True
        except (OSError, EOFError) as error:
            raise GoneError(type(error).__name__) from None
        finally:
            if whole:
                idle.append((reader, writer))
            else:
                writer.close()
        return Answer(int(first.split(b" ", 2)[1]), found, body)

    def close(self) -> None:
        for several in self._idle.values():
            while several:
                several.pop()[1].close()


@dataclass(slots=True)
class Sent:
    """One write as its client knows it."""

    client: int
    sent_s: float
    answered_s: float = inf


@dataclass(slots=True)
class Notes:
    """What all clients of one cell saw."""

    reads: list[Read] = field(default_factory=list)
    writes: dict[str, Sent] = field(default_factory=dict)
    foreign: list[Violation] = field(default_factory=list)
    operations: int = 0
    hits: int = 0
    answers: int = 0
    errors: int = 0
    gone: int = 0


class Client:
    """One user's session: every request carries the token of the last write, as a browser's code would."""

    def __init__(
        self,
        number: int,
        door: Door,
        notes: Notes,
        *,
        seed: int,
        write_share: float,
        cancel_share: float = 0.0,
        reads: dict[str, int] = READS,
        kinds: Iterable[str] = WRITE_KINDS,
        clock: Clock | None = None,
    ) -> None:
        self.number = number
        self.user = number % USERS
        self._door = door
        self._notes = notes
        self._random = Random(f"{seed} {number}")
        self._write_share = write_share
        self._cancel_share = cancel_share
        self._reads, self._weights = list(reads), list(reads.values())
        self._kinds = list(kinds)
        self._clock = clock or SystemClock()
        self._tokens = (f"{number}-{seed}-{index}" for index in count())
        self._session: list[tuple[bytes, bytes]] = []
        self._bearer = (b"authorization", b"Bearer %d" % self.user)

    async def act(self) -> None:
        """One operation, and now and then the client goes away in the midst of it (H27)."""
        random, self._notes.operations = self._random, self._notes.operations + 1
        write = random.random() < self._write_share
        doing = self.write() if write else self.read()
        if random.random() >= self._cancel_share:
            await doing
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(random.random() * 0.004):
                await doing

    async def write(self) -> None:
        kind, number = self._random.choice(self._kinds), self._random.randrange(1_000)
        group, token = self._random.randrange(GROUPS), next(self._tokens)
        sent = self._notes.writes[token] = Sent(self.number, self._clock.monotonic_s())
        try:
            answer = await self._door.ask("POST", f"/write/{kind}/{number}/{group}/{token}", self._session)
        except GoneError:
            self._notes.gone += 1
            return
        if answer.status == 200:
            sent.answered_s = self._clock.monotonic_s()
            self._take_token(answer)
        elif answer.status != 409:
            self._notes.errors += 1

    async def read(self) -> None:
        kind = self._random.choices(self._reads, self._weights)[0]
        most = {"group": GROUPS, "joined": GROUPS, "child": PARENTS, "total": 0, "tally": 0, "whoami": 0}
        bound = most.get(kind, ITEMS)
        # Some rows are liked better than others, as everywhere.
        number = min(self._random.randrange(bound), self._random.randrange(bound)) if bound else 0
        path = f"/{kind}/{number}" if bound else f"/{kind}"
        headers = [self._bearer, *self._session] if kind in ("mine", "whoami") else self._session
        sent_s = self._clock.monotonic_s()
        try:
            answer = await self._door.ask("GET", path, headers)
        except GoneError:
            self._notes.gone += 1
            return
        answered_s = self._clock.monotonic_s()
        if answer.status != 200:
            self._notes.errors += 1
            return
        self._notes.answers += 1
        self._notes.hits += answer.is_hit
        self._take_token(answer)
        shown = json.loads(answer.body)
        if kind in ("mine", "whoami") and shown["user"] != str(self.user):
            self._notes.foreign.append(Violation(Fault.FOREIGN, path, self.number, sent_s))
            return
        for register, sight in sights(kind, number, self.user, shown):
            self._notes.reads.append(Read(register, sight, self.number, sent_s, answered_s))

    def _take_token(self, answer: Answer) -> None:
        if told := answer.headers.get(TOKEN):
            self._session = [(TOKEN, told)]


def sights(kind: str, number: int, user: int, shown: Any) -> list[tuple[str, Sight]]:
    """What an answer shows, register by register."""
    match kind:
        case "item" | "view":
            return [(f"item:{number}", shown)]
        case "mine":
            return [(f"item:{number}", shown["token"])]
        case "whoami":
            return [(f"user:{user}", shown["token"])]
        case "child":
            return [(f"child:{number}", shown)]
        case "group" | "joined":
            return [(f"item:{each}", shown.get(str(each), ("not in", number))) for each in range(ITEMS)]
        case _:
            return [(kind, shown)]


async def run(
    clients: Sequence[Client], operations: int, *, notes: Notes, enough: Callable[[], bool] = lambda: True
) -> None:
    """Have ``clients`` do ``operations`` in all, and go on until it is ``enough``."""

    async def go_on(client: Client) -> None:
        while notes.operations < operations or not enough():
            await client.act()

    async with asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(go_on(client))


# -- the truth


@dataclass(frozen=True, slots=True)
class Truth:
    """What the database itself has written down, and what that makes of the clients' notes."""

    states: list[Write]
    acknowledged: list[Write]
    committed: set[Sight]


async def truth(engine: AsyncEngine, notes: Notes) -> Truth:
    """Read the ledger; all writers must have ended."""
    async with engine.connect() as connection:
        rows = list(await connection.execute(text("SELECT register, number, token, group_id FROM ledger")))
    unknown = Sent(-1, -inf)
    states = [
        *(_state(f"item:{each}", 0, f"i{each}", each % GROUPS, Sent(-1, -inf, -1)) for each in range(ITEMS)),
        *(_state(f"child:{each}", 0, f"c{each}", None, Sent(-1, -inf, -1)) for each in range(PARENTS)),
        *(_state(f"user:{each}", 0, f"u{each}", None, Sent(-1, -inf, -1)) for each in range(USERS)),
    ]
    written = [
        _state(register, number, token, group, notes.writes.get(token, unknown))
        for register, number, token, group in rows
    ]
    counters = [
        *_counter("total", [each for each in written if str(each.register).startswith("item:")]),
        *_counter("tally", [each for each in written if str(each.register).startswith("user:")]),
    ]
    told = [
        Write("?", 0, frozenset({token}), sent.client, sent.sent_s, sent.answered_s)
        for token, sent in notes.writes.items()
        if sent.answered_s < inf
    ]
    return Truth([*states, *written, *counters], told, {row.token for row in rows})


def _state(register: str, number: int, token: str, group: int | None, sent: Sent) -> Write:
    shown: set[Sight] = {token}
    if register.startswith("child:"):
        shown = {token} if number % 2 == 0 else {None}
    elif group is not None:
        shown |= {("not in", other) for other in range(GROUPS) if other != group}
    return Write(register, number, frozenset(shown), sent.client, sent.sent_s, sent.answered_s)


def _counter(register: str, writes: list[Write]) -> list[Write]:
    """The states of a count: it has reached n when n writes have been sent, at the latest when n were answered."""
    sent = sorted(write.sent_s for write in writes)
    answered = sorted(write.answered_s for write in writes)
    return [
        Write(register, 0, frozenset({0}), -1, -inf, -1),
        *(
            Write(register, number, frozenset({number}), -1, sent[number - 1], answered[number - 1])
            for number in range(1, len(writes) + 1)
        ),
    ]
