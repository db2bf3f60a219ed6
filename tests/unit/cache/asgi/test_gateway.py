"""The gateway where time and concurrency matter; what it owes HTTP stands in tests/conformance/http/cache."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from steinmetz.cache import CacheConfig, Gateway, OriginUnreachableError
from steinmetz.cache.asgi.protocol import Message, Receive, Scope, Send
from steinmetz.clock import FakeClock

pytestmark = pytest.mark.anyio

Lines = list[tuple[bytes, bytes]]
FRESH: Lines = [(b"cache-control", b"max-age=60")]


@dataclass
class Reply:
    messages: list[Message] = field(default_factory=list)

    @property
    def status(self) -> int:
        status: int = self.messages[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages[1:])


Answering = Callable[[Scope, Send], Awaitable[None]]


class Rig:
    """A gateway before an origin that answers as `answering` says; by default a number, fresh for a minute."""

    def __init__(self, config: CacheConfig) -> None:
        self.clock = FakeClock()
        self.gateway = Gateway(config, clock=self.clock)
        self.app = self.gateway.wrap(self.origin)
        self.asked = 0
        self.answering: Answering = self.number

    async def origin(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        await self.answering(scope, send)

    async def number(self, scope: Scope, send: Send) -> None:
        await answer(send, b"%d" % self.asked)

    async def ask(self, path: str = "/a", method: str = "GET", headers: Lines | None = None) -> Reply:
        reply = Reply()

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            reply.messages.append(message)

        scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"host", b"a.test"), *(headers or [])],
        }
        await self.app(scope, receive, send)
        return reply

    def spawn(self, *args: Any, **more: Any) -> asyncio.Task[Reply]:
        return asyncio.get_running_loop().create_task(self.ask(*args, **more))


async def answer(send: Send, body: bytes, headers: Lines = FRESH, status: int = 200) -> None:
    lines = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body})


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    rig = Rig(CacheConfig(budget_bytes=1_000_000, max_entry_bytes=1_000))
    yield rig
    await rig.gateway.aclose()


class TestTogether:
    async def test_200_who_ask_the_same_at_once_ask_the_origin_once(self, rig: Rig) -> None:
        gate = asyncio.Event()

        async def slowly(scope: Scope, send: Send) -> None:
            await gate.wait()
            await answer(send, b"one")

        rig.answering = slowly
        tasks = [rig.spawn() for _ in range(200)]
        await turns()
        gate.set()
        replies = await asyncio.gather(*tasks)
        assert rig.asked == 1
        assert {reply.body for reply in replies} == {b"one"}
        assert sum("collapsed" in reply.headers["cache-status"] for reply in replies) == 199

    async def test_who_may_not_share_each_asks_and_later_ones_do_not_wait(self, rig: Rig) -> None:
        gate = asyncio.Event()

        async def slowly(scope: Scope, send: Send) -> None:
            number = rig.asked
            await gate.wait()
            await answer(send, b"%d" % number, [(b"cache-control", b"private")])

        rig.answering = slowly
        tasks = [rig.spawn() for _ in range(5)]
        await turns()
        assert rig.asked == 1
        gate.set()
        assert len({reply.body for reply in await asyncio.gather(*tasks)}) == 5
        gate.clear()
        tasks = [rig.spawn() for _ in range(5)]
        await turns()
        assert rig.asked == 10
        gate.set()
        await asyncio.gather(*tasks)

    async def test_a_leader_that_is_cancelled_harms_nobody(self, rig: Rig) -> None:
        gate = asyncio.Event()

        async def slowly(scope: Scope, send: Send) -> None:
            await gate.wait()
            await answer(send, b"one")

        rig.answering = slowly
        leader, follower = rig.spawn(), rig.spawn()
        await turns()
        leader.cancel()
        await turns()
        gate.set()
        assert (await follower).body == b"one"
        assert rig.asked == 2
        assert len(rig.app.flights) == 0

    async def test_who_selects_another_variant_is_not_given_the_leaders(self, rig: Rig) -> None:
        gate = asyncio.Event()

        async def by_foo(scope: Scope, send: Send) -> None:
            foo = dict(scope["headers"])[b"foo"]
            await gate.wait()
            await answer(send, foo, [*FRESH, (b"vary", b"foo")])

        rig.answering = by_foo
        tasks = [rig.spawn(headers=[(b"foo", b"%d" % (number % 2))]) for number in range(4)]
        await turns()
        gate.set()
        assert [reply.body for reply in await asyncio.gather(*tasks)] == [b"0", b"1", b"0", b"1"]
        assert rig.asked == 2

    async def test_who_asks_after_an_acknowledged_write_is_not_given_what_began_before(self, rig: Rig) -> None:
        gate = asyncio.Event()

        async def slow_reads(scope: Scope, send: Send) -> None:
            body = b"%d" % rig.asked
            if scope["method"] == "GET" and rig.asked == 1:
                await gate.wait()
            await answer(send, body)

        rig.answering = slow_reads
        early = rig.spawn()
        await turns()
        await rig.ask(method="PUT")
        late = rig.spawn()
        await turns()
        gate.set()
        assert (await early).body == b"1"
        assert (await late).body == b"3"
        assert (await rig.ask()).body == b"3"
        assert rig.gateway.stats()["staleRefused"] == 1


class TestStreams:
    async def test_each_piece_passes_as_it_comes(self, rig: Rig) -> None:
        passed: list[asyncio.Event] = [asyncio.Event(), asyncio.Event()]

        async def stream(scope: Scope, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": FRESH})
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
            await passed[0].wait()
            await send({"type": "http.response.body", "body": b"b", "more_body": True})
            await passed[1].wait()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        rig.answering = stream
        reply = Reply()

        async def send(message: Message) -> None:
            reply.messages.append(message)

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {"type": "http", "method": "GET", "path": "/a", "headers": [], "query_string": b""}
        task = asyncio.get_running_loop().create_task(rig.app(scope, receive, send))
        await turns()
        assert [message["type"] for message in reply.messages] == ["http.response.start", "http.response.body"]
        passed[0].set()
        await turns()
        assert reply.body == b"ab"
        passed[1].set()
        await task
        again = Reply()

        async def send_again(message: Message) -> None:
            again.messages.append(message)

        await rig.app(scope, receive, send_again)
        assert (again.body, again.headers["x-cache"], again.headers["content-length"]) == (b"ab", "HIT", "2")

    async def test_a_body_above_the_limit_passes_and_is_not_kept(self, rig: Rig) -> None:
        async def large(scope: Scope, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": FRESH})
            for _ in range(3):
                await send({"type": "http.response.body", "body": b"x" * 500, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        rig.answering = large
        assert len((await rig.ask()).body) == 1_500
        assert len((await rig.ask()).body) == 1_500
        assert (rig.asked, rig.gateway.stats()["entries"]) == (2, 0)

    async def test_what_breaks_off_is_not_kept_and_the_trouble_is_passed_on(self, rig: Rig) -> None:
        async def broken(scope: Scope, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": FRESH})
            await send({"type": "http.response.body", "body": b"a", "more_body": True})
            raise OriginUnreachableError("half-way")

        rig.answering = broken
        with pytest.raises(OriginUnreachableError):
            await rig.ask()
        assert rig.gateway.stats()["entries"] == 0
        assert len(rig.app.flights) == 0

    async def test_trailers_pass_and_nothing_is_kept(self, rig: Rig) -> None:
        async def with_trailers(scope: Scope, send: Send) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": FRESH, "trailers": True})
            await send({"type": "http.response.body", "body": b"a"})
            await send({"type": "http.response.trailers", "headers": []})

        rig.answering = with_trailers
        reply = await rig.ask()
        assert [message["type"] for message in reply.messages][-1] == "http.response.trailers"
        assert rig.gateway.stats()["entries"] == 0


class TestTrouble:
    async def test_an_origin_that_cannot_be_reached_is_a_502(self, rig: Rig) -> None:
        async def unreachable(scope: Scope, send: Send) -> None:
            raise OriginUnreachableError("the origin gave no answer")

        rig.answering = unreachable
        for method in ("GET", "PUT"):
            reply = await rig.ask(method=method)
            assert (reply.status, reply.body) == (502, b"")
            assert "the origin gave no answer" in reply.headers["cache-status"]

    async def test_an_application_that_raises_is_covered_by_stale_if_error_only(self, rig: Rig) -> None:
        async def raises(scope: Scope, send: Send) -> None:
            raise ZeroDivisionError

        async def lenient(scope: Scope, send: Send) -> None:
            await answer(send, b"kept", [(b"cache-control", b"max-age=60, stale-if-error=30")])

        rig.answering = lenient
        await rig.ask("/a")
        rig.answering = rig.number
        await rig.ask("/b")
        rig.answering = raises
        rig.clock.advance(61)
        assert (await rig.ask("/a")).body == b"kept"
        with pytest.raises(ZeroDivisionError):
            await rig.ask("/b")

    async def test_a_stale_answer_that_is_invalidated_meanwhile_covers_no_error(self, rig: Rig) -> None:
        """Comforts cross an expiry but never an invalidation."""
        gate = asyncio.Event()

        async def reads_fail_slowly(scope: Scope, send: Send) -> None:
            if scope["method"] == "PUT":
                await answer(send, b"", status=204)
                return
            await gate.wait()
            await answer(send, b"no", [], 503)

        async def lenient(scope: Scope, send: Send) -> None:
            await answer(send, b"old", [(b"cache-control", b"max-age=60, stale-if-error=600")])

        rig.answering = lenient
        await rig.ask()
        rig.clock.advance(61)
        rig.answering = reads_fail_slowly
        reading = rig.spawn()
        await turns()
        await rig.ask(method="PUT")
        gate.set()
        assert (await reading).status == 503

    async def test_a_304_that_speaks_of_nothing_kept_is_asked_again_without_a_condition(self, rig: Rig) -> None:
        conditions: list[bytes | None] = []

        async def confused(scope: Scope, send: Send) -> None:
            condition = dict(scope["headers"]).get(b"if-none-match")
            conditions.append(condition)
            if condition is not None:
                await answer(send, b"", [(b"etag", b'"other"')], 304)
            else:
                await answer(send, b"%d" % rig.asked, [(b"cache-control", b"max-age=60"), (b"etag", b'"1"')])

        rig.answering = confused
        await rig.ask()
        rig.clock.advance(61)
        assert (await rig.ask()).body == b"3"
        assert conditions == [None, b'"1"', None]


class TestSwitchAndHand:
    async def test_switched_off_everything_passes_and_writes_still_invalidate(self, rig: Rig) -> None:
        await rig.ask()
        rig.gateway.enabled = False
        reply = await rig.ask()
        assert (reply.body, reply.headers["x-cache"]) == (b"2", "BYPASS")
        await rig.ask(method="PUT")
        rig.gateway.enabled = True
        assert (await rig.ask()).body == b"4"

    async def test_by_hand_by_url_by_group_and_all(self, rig: Rig) -> None:
        async def grouped(scope: Scope, send: Send) -> None:
            await answer(send, b"%d" % rig.asked, [*FRESH, (b"cache-groups", b'"g"')])

        rig.answering = grouped
        await rig.ask("/a")
        await rig.ask("/b")
        assert rig.gateway.invalidate("http://a.test/a", "http://a.test/nothing") == 1
        assert (await rig.ask("/b")).headers["x-cache"] == "HIT"
        assert rig.gateway.invalidate_groups("http://b.test", "g") == 0
        assert rig.gateway.invalidate_groups("http://a.test", "g") == 1
        await rig.ask("/a")
        assert rig.gateway.clear() == 1

    async def test_a_url_beyond_the_limit_passes_by(self, rig: Rig) -> None:
        assert (await rig.ask("/" + "x" * 5_000)).headers["x-cache"] == "BYPASS"

    async def test_a_websocket_and_the_lifespan_pass(self, rig: Rig) -> None:
        kinds: list[str] = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            kinds.append(scope["type"])

        async def nothing(*args: Any) -> Message:
            return {}

        for kind in ("websocket", "lifespan"):
            await rig.gateway.wrap(app)({"type": kind}, nothing, nothing)
        assert kinds == ["websocket", "lifespan"]

    async def test_a_personal_answer_is_not_shared_by_a_guess(self, rig: Rig) -> None:
        """In doubt whose answer it is, it is nobody else's: heuristics are for requests without a cookie."""

        async def guessable(scope: Scope, send: Send) -> None:
            changed = (b"last-modified", b"Mon, 02 Feb 2026 09:00:00 GMT")
            await answer(send, b"%d" % rig.asked, [changed])

        rig.answering = guessable
        await rig.ask(headers=[(b"cookie", b"session=ann")])
        assert (await rig.ask(headers=[(b"cookie", b"session=bob")])).body == b"2"
        await rig.ask("/b")
        assert (await rig.ask("/b", headers=[(b"cookie", b"session=bob")])).headers["x-cache"] == "HIT"

    async def test_the_record_of_variants_and_of_passed_urls_is_bounded(self, rig: Rig) -> None:
        async def by_foo(scope: Scope, send: Send) -> None:
            await answer(send, b"x", [*FRESH, (b"vary", b"foo")])

        rig.answering = by_foo
        for number in range(900):
            await rig.ask(headers=[(b"foo", b"%d" % number)])
        stats = rig.gateway.stats()
        assert stats["bytes"] <= stats["budgetBytes"]
        assert stats["evictions"] > 0
