"""The native door asked directly; what it does on sockets is told by tests/contract/test_http_doors.py."""

from __future__ import annotations

from typing import Any

import pytest

from steinmetz.cache import cached
from steinmetz.cache.hits.asgi import AsgiHits
from steinmetz.cache.hits.native import NativeHits

pytestmark = pytest.mark.anyio

DATE = [(b"date", b"today")]


class Waiting:
    """A cluster that has caught up or has not, and says so after waiting."""

    is_known = True

    def attach(self, local: Any, coherence: Any) -> None:
        self.observer = local

    def state(self) -> dict[str, Any]:
        return {}

    def stands(self, consistency: Any, token: bytes | None) -> bool:
        return False

    async def caught_up(self, consistency: Any, token: bytes | None) -> bool:
        return self.is_known

    async def fetch(self, key: bytes) -> None:
        return None

    def offer(self, entry: Any) -> None:
        pass

    def token(self) -> bytes:
        return b"17"


class Neighbours(Waiting):
    """One that says it at once."""

    def __init__(self) -> None:
        self.asked: list[bytes | None] = []

    def stands(self, consistency: Any, token: bytes | None) -> bool:
        self.asked.append(token)
        return self.is_known


class LookingAtNothing:
    """A front that adds nothing."""

    fields = frozenset[bytes]()

    def passage(self, leaving: Any) -> Any:
        return self

    def take(self, client: Any, started_ns: int) -> bytes:
        return b"\r\n"

    def take_fields(self, client: Any, started_ns: int) -> list[tuple[bytes, bytes]]:
        return []


def get(path: bytes = b"/a", *lines: bytes) -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: a\r\n%b\r\n" % (path, b"".join(line + b"\r\n" for line in lines))


def add(rig: Any, path: str = "/a") -> None:
    @cached(public=True)
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        rig.hook.read("invoices")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"body"})

    rig.app.add(path, endpoint)


def asking(hits: NativeHits) -> Any:
    peer = hits.peer(scheme="http", client=("192.0.2.1", 1))
    return lambda segment: hits.answer(segment, peer, DATE, 0)


async def test_where_processes_share_a_database_each_hit_asks_whether_all_is_known(make_rig: Any) -> None:
    neighbours = Neighbours()
    rig = make_rig(cluster=neighbours)
    rig.door.credential_fields = frozenset()
    add(rig)
    ask, within = asking(NativeHits(rig.door, LookingAtNothing())), AsgiHits(rig.door, LookingAtNothing())
    scope = {"method": "GET", "path": "/a", "query_string": b"", "headers": [(b"x-consistency-token", b"9")]}
    await rig.ask("/a")
    for _ in range(2):
        neighbours.asked.clear()
        assert b"x-consistency-token: 17\r\n" in ask(get())
        assert (b"x-consistency-token", b"17") in within.take(dict(scope), 0)[1]  # type: ignore[index]
        assert neighbours.asked == [None, b"9"]
    neighbours.is_known = False
    assert ask(get()) is None
    assert within.take(dict(scope), 0) is None
    neighbours.is_known = True
    assert ask(get()) is not None
    assert ask(get(b"/a", b"X-Consistency-Token: 9")) is None


async def test_a_cluster_that_cannot_say_at_once_is_asked_the_long_way(make_rig: Any) -> None:
    rig = make_rig(cluster=Waiting())
    add(rig)
    await rig.ask("/a")
    assert asking(NativeHits(rig.door))(get()) is None
    assert (await rig.ask("/a")).cache == "HIT"


async def test_requests_that_differ_in_what_nobody_looks_at_share_what_is_known(rig: Any) -> None:
    rig.door.credential_fields = frozenset({b"x-user"})
    add(rig)
    hits = NativeHits(rig.door, LookingAtNothing())
    ask = asking(hits)
    await rig.ask("/a")
    answers = {ask(get(b"/a", b"X-Trace: %d" % number)) for number in range(50)}
    assert len(answers) == 1
    (known,) = hits.known()
    assert (len(known.by_gist), len(known.by_bytes)) == (1, 0)
    assert ask(get(b"/a", b"X-Trace: 7")) is not None
    assert (len(known.by_gist), len(known.by_bytes)) == (1, 1)
    rig.hook.commit("invoices")
    assert ask(get(b"/a", b"X-Trace: 7")) is None


async def test_paths_of_others_are_left_to_them(rig: Any) -> None:
    add(rig, "/sockets/a")
    await rig.ask("/sockets/a")
    ask = asking(NativeHits(rig.door, excluded=lambda path: path.startswith("/sockets/")))
    assert ask(get(b"/sockets/a")) is None
