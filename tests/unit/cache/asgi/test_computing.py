"""What a miss leads to: terms of the route, errors, refreshes, and a leader that goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from steinmetz.cache import CacheConfig, cached
from steinmetz.cache.policy.worth import FIRST_PAUSE_S, SPOILT

pytestmark = pytest.mark.anyio


class Source:
    """A cached route whose next answers are set by the test."""

    def __init__(self, rig: Any, reply: Any, **terms: Any) -> None:
        self.rig = rig
        self.status = 200
        self.fails: Exception | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.computed = 0
        terms.setdefault("public", True)

        @cached(**terms)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            self.computed += 1
            rig.hook.read("prices")
            if self.fails is not None:
                raise self.fails
            await reply(send, b"%d" % self.computed, *self.headers, status=self.status)

        rig.app.add("/a", endpoint)


class TestStaleIfError:
    async def test_an_exception_gives_the_expired_answer_and_is_told(self, rig: Any, reply: Any) -> None:
        source = Source(rig, reply, ttl=60, stale_if_error=600)
        await rig.ask("/a")
        rig.clock.advance(61)
        source.fails = RuntimeError("the database is down")
        with capture_logs() as logs:
            answer = await rig.ask("/a")
        assert (answer.status, answer.body, answer.cache) == (200, b"1", "STALE")
        assert answer.headers["age"] == "61"
        assert [(line["event"], line["error"]) for line in logs] == [
            ("Computing an answer failed; the expired one was given", "RuntimeError")
        ]
        assert rig.cache.stats()["staleOnError"] == 1
        source.fails = None
        assert ((await rig.ask("/a")).body, source.computed) == (b"3", 3)

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    async def test_a_5xx_gives_the_expired_answer_and_a_4xx_does_not(
        self, rig: Any, reply: Any, status: int
    ) -> None:
        source = Source(rig, reply, ttl=60, stale_if_error=600)
        etag = (await rig.ask("/a")).headers["etag"]
        rig.clock.advance(61)
        source.status = status
        assert (await rig.ask("/a")).body == b"1"
        assert (await rig.ask("/a", headers=[("If-None-Match", etag)])).status == 304
        source.status = 404
        assert (await rig.ask("/a")).status == 404

    async def test_it_never_crosses_an_invalidation(self, rig: Any, reply: Any) -> None:
        source = Source(rig, reply, ttl=60, stale_if_error=600)
        await rig.ask("/a")
        rig.clock.advance(61)
        rig.hook.commit("prices")
        source.fails = RuntimeError("down")
        with pytest.raises(RuntimeError, match="down"):
            await rig.ask("/a")

    async def test_nor_one_that_comes_while_it_fails(self, rig: Any, reply: Any) -> None:
        @cached(ttl=60, public=True, stale_if_error=600)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            rig.hook.read("prices")
            if rig.clock.monotonic_s() > 1_060:
                rig.hook.commit("prices")
                await reply(send, b"no", status=500)
            else:
                await reply(send, b"yes")

        rig.app.add("/b", endpoint)
        await rig.ask("/b")
        rig.clock.advance(61)
        assert (await rig.ask("/b")).status == 500

    async def test_it_ends_when_it_says_and_at_once_without_it(self, rig: Any, reply: Any) -> None:
        source = Source(rig, reply, ttl=60, stale_if_error=10)
        await rig.ask("/a")
        rig.clock.advance(70)
        source.status = 503
        answer = await rig.ask("/a")
        assert (answer.status, answer.cache) == (503, "MISS")

    async def test_all_who_waited_get_it_after_one_attempt(self, rig: Any, reply: Any) -> None:
        gate = asyncio.Event()
        computed: list[int] = []

        @cached(ttl=60, public=True, stale_if_error=600)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            rig.hook.read("prices")
            computed.append(1)
            if len(computed) > 1:
                await gate.wait()
                raise RuntimeError("down")
            await reply(send, b"old")

        rig.app.add("/b", endpoint)
        await rig.ask("/b")
        rig.clock.advance(61)
        readers = [asyncio.ensure_future(rig.ask("/b")) for _ in range(50)]
        await turns()
        gate.set()
        assert {(await reader).body for reader in readers} == {b"old"}
        assert len(computed) == 2

    async def test_an_answer_that_has_begun_is_not_mended(self, rig: Any) -> None:
        @cached(ttl=60, public=True, stale_if_error=600)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            rig.hook.read("prices")
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"a", "more_body": rig.clock.monotonic_s() > 1_060})
            if rig.clock.monotonic_s() > 1_060:
                raise RuntimeError("broke off")

        rig.app.add("/b", endpoint)
        await rig.ask("/b")
        rig.clock.advance(61)
        with pytest.raises(RuntimeError, match="broke off"):
            await rig.ask("/b")


class TestStatuses:
    async def test_a_404_is_kept_with_its_status_and_body_for_its_own_time(self, rig: Any, reply: Any) -> None:
        source = Source(rig, reply, ttl=60, statuses={404: 5})
        source.status = 404
        first, second = await rig.ask("/a"), await rig.ask("/a")
        assert [(one.status, one.body, one.cache) for one in (first, second)] == [
            (404, b"1", "MISS"),
            (404, b"1", "HIT"),
        ]
        assert (await rig.ask("/a", method="HEAD")).status == 404
        rig.clock.advance(5)
        assert (await rig.ask("/a")).cache == "MISS"

    async def test_what_makes_it_be_there_drops_it(self, rig: Any, reply: Any) -> None:
        source = Source(rig, reply, ttl=60, statuses={404: 50})
        source.status = 404
        await rig.ask("/a")
        source.status = 200
        rig.hook.commit("prices")
        assert [(await rig.ask("/a")).status for _ in range(2)] == [200, 200]
        assert source.computed == 2

    async def test_a_condition_does_not_turn_it_into_304(self, rig: Any, reply: Any) -> None:
        source = Source(rig, reply, statuses={404: 5})
        source.status = 404
        etag = (await rig.ask("/a")).headers["etag"]
        answer = await rig.ask("/a", headers=[("If-None-Match", etag)])
        assert (answer.status, answer.cache, answer.body) == (404, "HIT", b"1")

    async def test_others_are_not_kept(self, rig: Any, reply: Any) -> None:
        source = Source(rig, reply, statuses={404: 5})
        source.status = 410
        assert [(await rig.ask("/a")).cache for _ in range(2)] == ["MISS", "MISS"]


class TestEarly:
    async def test_a_hit_that_draws_the_lot_begins_the_next_computation_behind_it(
        self, make_rig: Any, reply: Any
    ) -> None:
        lots: Iterator[float] = iter([0.0, 0.99, 0.0])
        rig = make_rig(draw=lambda: next(lots))
        source = Source(rig, reply, ttl=60, early=1.0)
        await rig.ask("/a")
        (entry,) = list(rig.cache._store)
        entry.cost_ns = 2_000_000_000
        rig.clock.advance(59)
        assert (await rig.ask("/a")).body == b"1"
        assert rig.cache.stats()["refreshes"] == 0
        assert (await rig.ask("/a")).body == b"1"
        await turns()
        assert (source.computed, rig.cache.stats()["refreshes"]) == (2, 1)
        assert (await rig.ask("/a")).body == b"2"
        await rig.cache.aclose()

    async def test_one_refresh_at_a_time(self, make_rig: Any, reply: Any) -> None:
        rig = make_rig(draw=lambda: 0.999999)
        source = Source(rig, reply, ttl=60, early=1.0)
        await rig.ask("/a")
        (entry,) = list(rig.cache._store)
        entry.cost_ns = 60_000_000_000
        for _ in range(5):
            assert (await rig.ask("/a")).cache == "HIT"
        await turns()
        assert source.computed == 2
        await rig.cache.aclose()

    async def test_after_the_end_of_the_cache_hits_go_on_without_refreshes(
        self, make_rig: Any, reply: Any
    ) -> None:
        rig = make_rig(draw=lambda: 0.999999)
        source = Source(rig, reply, ttl=60, early=1.0)
        await rig.ask("/a")
        (entry,) = list(rig.cache._store)
        entry.cost_ns = 60_000_000_000
        await rig.cache.aclose()
        assert (await rig.ask("/a")).cache == "HIT"
        assert (source.computed, len(rig.door.flights)) == (1, 0)


class TestOneRequest:
    @pytest.mark.parametrize(
        "line",
        [(b"x-request-id", b"7"), (b"content-security-policy", b"script-src 'nonce-abc'")],
    )
    async def test_t17_a_line_of_one_request_is_given_to_it_alone(
        self, rig: Any, reply: Any, line: tuple[bytes, bytes]
    ) -> None:
        source = Source(rig, reply)
        source.headers = [line]
        answers = [await rig.ask("/a") for _ in range(2)]
        assert [answer.body for answer in answers] == [b"1", b"2"]
        assert answers[0].headers["cache-status"].endswith('detail="a header line belongs to this one request"')


class TestRest:
    async def test_t10_a_route_that_is_written_more_often_than_read_rests_and_comes_back(
        self, rig: Any, reply: Any
    ) -> None:
        source = Source(rig, reply)
        for _ in range(SPOILT):
            assert (await rig.ask("/a")).cache == "MISS"
            rig.hook.commit("prices")
        answer = await rig.ask("/a")
        assert (answer.cache, source.computed) == ("BYPASS", SPOILT + 1)
        assert "written more often than read" in answer.headers["cache-status"]
        assert rig.cache.stats()["routes"][0]["resting"] == "written more often than read"
        rig.clock.advance(FIRST_PAUSE_S)
        assert [(await rig.ask("/a")).cache for _ in range(2)] == ["MISS", "HIT"]
        assert rig.cache.stats()["routes"][0]["resting"] is None

    async def test_a_route_that_is_read_between_its_writes_does_not(self, rig: Any, reply: Any) -> None:
        Source(rig, reply)
        for _ in range(3 * SPOILT):
            await rig.ask("/a")
            assert (await rig.ask("/a")).cache == "HIT"
            rig.hook.commit("prices")

    async def test_it_can_be_forbidden(self, make_rig: Any, reply: Any) -> None:
        rig = make_rig(CacheConfig(rest_if_useless=False))
        Source(rig, reply)
        for _ in range(2 * SPOILT):
            assert (await rig.ask("/a")).cache == "MISS"
            rig.hook.commit("prices")


class TestLeader:
    async def test_alone_it_takes_its_computation_along(self, rig: Any) -> None:
        reached, ended = asyncio.Event(), list[str]()

        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            reached.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cleaned up")

        rig.app.add("/a", endpoint)
        leader = asyncio.ensure_future(rig.ask("/a"))
        await reached.wait()
        leader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leader
        assert ended == ["cleaned up"]
        assert len(rig.door.flights) == 0

    async def test_h27_a_client_that_goes_does_not_end_it_for_the_others(self, rig: Any, reply: Any) -> None:
        """A framework that listens for the disconnect hears of none while others wait for the answer."""
        gate = asyncio.Event()

        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            listening = asyncio.ensure_future(receive())
            await asyncio.wait({listening, opened}, return_when=asyncio.FIRST_COMPLETED)
            assert not listening.done()
            listening.cancel()
            await reply(send, b"whole")

        rig.app.add("/a", endpoint)
        opened = asyncio.ensure_future(gate.wait())
        gone = asyncio.Event()

        async def receive() -> Any:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            raise AssertionError("nobody is there any more")

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/a",
            "root_path": "",
            "query_string": b"",
            "headers": [],
        }
        leader = asyncio.ensure_future(rig.door(scope, receive, send))
        await turns()
        follower = asyncio.ensure_future(rig.ask("/a"))
        await turns()
        gone.set()
        leader.cancel()
        await turns()
        gate.set()
        assert (await follower).body == b"whole"

    async def test_an_application_that_cancels_itself_is_no_orphan(self, rig: Any) -> None:
        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            raise asyncio.CancelledError

        rig.app.add("/a", endpoint)
        with pytest.raises(asyncio.CancelledError):
            await rig.ask("/a")
        assert len(rig.door.flights) == 0


class TestQueue:
    async def test_t10_who_meets_a_flight_that_a_write_has_overtaken_boards_the_next_one_with_the_others(
        self, make_rig: Any, reply: Any
    ) -> None:
        rig = make_rig(CacheConfig(wait_s=30))
        gates: list[asyncio.Event] = []
        computing, most = [0], [0]

        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            rig.hook.read("prices")
            computing[0] += 1
            most[0] = max(most[0], computing[0])
            gates.append(asyncio.Event())
            await gates[-1].wait()
            computing[0] -= 1
            await reply(send, b"%d" % len(gates))

        rig.app.add("/a", endpoint)
        first = asyncio.ensure_future(rig.ask("/a"))
        await turns()
        gates[0].set()
        await first
        rig.hook.commit("prices")
        flights = rig.door.flights
        key = next(iter(flights._known))
        flights.learn(key, flights._known[key].reads, 10_000_000_000)  # it is known to take its time
        before = asyncio.ensure_future(rig.ask("/a"))
        await turns()
        rig.hook.commit("prices")
        after = [asyncio.ensure_future(rig.ask("/a")) for _ in range(20)]
        await turns()
        assert len(gates) == 2
        gates[1].set()
        await turns(20)
        assert len(gates) == 3
        gates[2].set()
        assert (await before).body == b"2"
        assert {(await one).body for one in after} == {b"3"}
        assert most == [1]


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_t10_where_one_commit_follows_the_other_readers_wait_for_those_they_met_and_share_one_flight(
    make_rig: Any, reply: Any
) -> None:
    rig = make_rig(CacheConfig(wait_s=30))
    source = Source(rig, reply)
    await rig.ask("/a")
    first = rig.hook.transaction()
    first.write("prices")
    first.mark()
    readers = [asyncio.ensure_future(rig.ask("/a")) for _ in range(20)]
    await turns()
    assert source.computed == 1
    second = rig.hook.transaction()
    second.write("prices")
    second.mark()
    first.bump()
    answers = [await reader for reader in readers]
    assert {answer.body for answer in answers} == {b"2"}
    assert source.computed == 2
    second.bump()
    assert (await rig.ask("/a")).body == b"3"  # what was computed while a commit was under way is not kept
