"""The cache in front of a tiny application: what a client is given, and what is kept."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from steinmetz.cache import CacheConfig, KeyRequest, cached, invalidates, valid_until

pytestmark = pytest.mark.anyio


def counting(rig: Any, path: str = "/a", *, tables: tuple[str, ...] = ("invoices",), **terms: Any) -> list[int]:
    """A cached route that reads ``tables`` and answers how often it was computed."""
    computed: list[int] = []
    terms.setdefault("public", True)

    @cached(**terms)
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        rig.hook.read(*tables)
        computed.append(1)
        body = b"%d" % len(computed)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": body})

    rig.app.add(path, endpoint)
    return computed


def answering(rig: Any, reply: Any, *headers: tuple[bytes, bytes], path: str = "/a", **how: Any) -> None:
    @cached(public=True)
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        rig.hook.read("invoices")
        await reply(send, b"body", *headers, **how)

    rig.app.add(path, endpoint)


class TestHit:
    async def test_the_second_time_the_answer_comes_from_memory(self, rig: Any) -> None:
        computed = counting(rig)
        first, second = await rig.ask("/a"), await rig.ask("/a")
        assert (first.cache, second.cache) == ("MISS", "HIT")
        assert first.body == second.body == b"1"
        assert len(computed) == 1
        assert first.headers["cache-status"] == "SteinmetZ; fwd=uri-miss; stored"
        assert second.headers["content-type"] == "text/plain"

    async def test_it_says_its_age_and_what_is_left(self, rig: Any) -> None:
        counting(rig, ttl=60)
        await rig.ask("/a")
        rig.clock.advance(12.5)
        answer = await rig.ask("/a")
        assert answer.headers["age"] == "12"
        assert answer.headers["cache-status"] == "SteinmetZ; hit; ttl=48"

    async def test_the_order_of_parameters_does_not_matter_their_values_do(self, rig: Any) -> None:
        counting(rig)
        assert (await rig.ask("/a?x=1&y=2")).cache == "MISS"
        assert (await rig.ask("/a?y=2&x=1")).cache == "HIT"
        assert (await rig.ask("/a?x=2&y=1")).cache == "MISS"

    async def test_its_time_ends(self, rig: Any) -> None:
        computed = counting(rig, ttl=60)
        await rig.ask("/a")
        rig.clock.advance(60)
        answer = await rig.ask("/a")
        assert answer.cache == "MISS"
        assert answer.headers["cache-status"] == "SteinmetZ; fwd=stale; stored"
        assert len(computed) == 2

    async def test_an_unchanged_answer_is_304_with_what_a_304_must_carry(self, rig: Any) -> None:
        counting(rig)
        etag = (await rig.ask("/a")).headers["etag"]
        answer = await rig.ask("/a", headers=[("If-None-Match", f'"other", W/{etag}')])
        assert (answer.status, answer.body, answer.cache) == (304, b"", "HIT")
        assert answer.headers["etag"] == etag
        assert "content-length" not in answer.headers

    async def test_a_changed_answer_is_sent_in_full_and_an_equal_new_one_is_304(
        self, rig: Any, reply: Any
    ) -> None:
        answering(rig, reply)
        etag = (await rig.ask("/a")).headers["etag"]
        rig.hook.commit("invoices")
        answer = await rig.ask("/a", headers=[("If-None-Match", etag)])
        assert (answer.status, answer.cache) == (304, "MISS")
        rig.hook.commit("invoices")
        assert (await rig.ask("/a", headers=[("If-None-Match", '"old"')])).status == 200

    async def test_the_application_never_sees_the_condition_of_one_client(self, rig: Any, reply: Any) -> None:
        seen: list[Any] = []

        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            seen.extend(name for name, _ in scope["headers"])
            await reply(send, b"x")

        rig.app.add("/a", endpoint)
        await rig.ask("/a", headers=[("If-None-Match", '"x"'), ("If-Modified-Since", "x"), ("Accept", "y")])
        assert seen == [b"accept"]

    async def test_head_is_answered_from_the_entry_of_get(self, rig: Any) -> None:
        computed = counting(rig)
        body = (await rig.ask("/a")).body
        head = await rig.ask("/a", method="HEAD")
        assert (head.status, head.cache, head.body) == (200, "HIT", b"")
        assert head.headers["content-length"] == str(len(body))
        assert len(computed) == 1

    async def test_a_head_that_misses_fills_the_entry_of_get(self, rig: Any) -> None:
        computed = counting(rig)
        head = await rig.ask("/a", method="HEAD")
        assert (head.status, head.cache, head.body, head.headers["content-length"]) == (200, "MISS", b"", "1")
        assert (await rig.ask("/a")).cache == "HIT"
        assert len(computed) == 1

    async def test_the_scope_is_the_only_thing_a_hit_opens_nothing_else(self, rig: Any) -> None:
        counting(rig)
        await rig.ask("/a")
        assert "steinmetz.recording" not in (await rig.ask("/a")).scope

    async def test_what_one_response_adds_to_its_headers_does_not_stay(self, rig: Any) -> None:
        counting(rig)
        await rig.ask("/a")

        def spoil(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-leak", b"1"))
                message["status"] = 500

        await rig.ask("/a", sent=spoil)
        answer = await rig.ask("/a")
        assert answer.status == 200
        assert "x-leak" not in answer.headers


class TestDemands:
    async def test_no_cache_computes_and_keeps(self, rig: Any) -> None:
        counting(rig)
        await rig.ask("/a")
        answer = await rig.ask("/a", headers=[("Cache-Control", "no-cache")])
        assert (answer.cache, answer.body) == ("MISS", b"2")
        assert answer.headers["cache-status"] == "SteinmetZ; fwd=request; stored"
        assert (await rig.ask("/a")).body == b"2"

    async def test_no_store_passes_by(self, rig: Any) -> None:
        counting(rig)
        answer = await rig.ask("/a", headers=[("Cache-Control", "no-store")])
        assert answer.cache == "BYPASS"
        assert answer.headers["cache-status"] == 'SteinmetZ; fwd=bypass; detail="the request said no-store"'
        assert (await rig.ask("/a")).cache == "MISS"

    async def test_only_if_cached_computes_nothing(self, rig: Any) -> None:
        computed = counting(rig)
        answer = await rig.ask("/a", headers=[("Cache-Control", "only-if-cached")])
        assert (answer.status, answer.cache, computed) == (504, "MISS", [])

    @pytest.mark.parametrize("header", [("Upgrade", "h2c"), ("Content-Length", "3"), ("Expect", "100-continue")])
    async def test_a_request_that_no_kept_answer_fits_passes_by(self, rig: Any, header: tuple[str, str]) -> None:
        computed = counting(rig)
        await rig.ask("/a")
        assert (await rig.ask("/a", headers=[header])).cache == "BYPASS"
        assert (await rig.ask("/a", headers=[header, ("Range", "bytes=0-1")])).cache == "BYPASS"
        assert len(computed) == 3

    async def test_a_range_is_cut_from_a_kept_answer_and_else_passes_by(self, rig: Any) -> None:
        computed = counting(rig)
        part = [("Range", "bytes=0-1")]
        assert (await rig.ask("/a", headers=part)).cache == "BYPASS"
        whole = await rig.ask("/a")
        answer = await rig.ask("/a", headers=part)
        assert (answer.status, answer.cache, answer.body) == (206, "HIT", whole.body[:2])
        assert len(computed) == 2


class TestStorable:
    async def test_a_cookie_is_never_given_to_another(self, rig: Any, reply: Any) -> None:
        answering(rig, reply, (b"Set-Cookie", b"session=1"))
        first, second = await rig.ask("/a"), await rig.ask("/a")
        assert (first.cache, second.cache) == ("MISS", "MISS")
        assert first.headers["cache-status"] == 'SteinmetZ; fwd=uri-miss; detail="sets a cookie"'

    async def test_a_get_that_wrote_is_not_kept(self, rig: Any, reply: Any) -> None:
        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            rig.hook.commit("visits")
            await reply(send, b"x")

        rig.app.add("/a", endpoint)
        await rig.ask("/a")
        assert (await rig.ask("/a")).cache == "MISS"
        assert rig.cache.stats()["notStoredReasons"] == {"the request wrote": 2}

    async def test_a_write_that_was_rolled_back_is_still_a_dirty_read(self, rig: Any, reply: Any) -> None:
        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            transaction = rig.hook.transaction()
            transaction.write("invoices")
            rig.hook.read("invoices")
            await reply(send, b"x")

        rig.app.add("/a", endpoint)
        await rig.ask("/a")
        assert (await rig.ask("/a")).cache == "MISS"

    async def test_what_may_have_read_anything_is_not_kept(self, rig: Any, reply: Any) -> None:
        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            rig.hook.read_unknown()
            await reply(send, b"x")

        rig.app.add("/a", endpoint)
        await rig.ask("/a")
        assert (await rig.ask("/a")).cache == "MISS"

    async def test_an_error_is_not_kept(self, rig: Any, reply: Any) -> None:
        answering(rig, reply, status=500)
        await rig.ask("/a")
        assert (await rig.ask("/a")).cache == "MISS"

    async def test_an_application_that_fails_leaves_nothing_behind(self, rig: Any) -> None:
        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            raise RuntimeError("broken")

        rig.app.add("/a", endpoint)
        answer = None
        with pytest.raises(RuntimeError, match="broken"):
            answer = await rig.ask("/a")
        assert answer is None
        assert len(rig.door.flights) == 0
        assert rig.cache.stats()["entries"] == 0

    async def test_vary_is_heeded(self, rig: Any, reply: Any) -> None:
        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            await reply(send, dict(scope["headers"]).get(b"accept-language", b"-"), (b"vary", b"Accept-Language"))

        rig.app.add("/a", endpoint)
        german = [("Accept-Language", "de")]
        assert (await rig.ask("/a", headers=german)).body == b"de"
        assert (await rig.ask("/a", headers=german)).cache == "HIT"
        other = await rig.ask("/a", headers=[("Accept-Language", "en")])
        assert (other.cache, other.body) == ("MISS", b"en")
        assert other.headers["cache-status"].startswith("SteinmetZ; fwd=vary-miss")

    async def test_an_entry_above_the_limit_is_not_kept(self, make_rig: Any, reply: Any) -> None:
        rig = make_rig(CacheConfig(max_entry_bytes=3))
        answering(rig, reply)
        assert (await rig.ask("/a")).body == b"body"
        assert (await rig.ask("/a")).cache == "MISS"

    async def test_a_flood_of_keys_stays_within_the_budget(self, make_rig: Any) -> None:
        rig = make_rig(CacheConfig(budget_bytes=100_000))
        counting(rig)
        for number in range(300):
            await rig.ask(f"/a?q={number}")
        stats = rig.cache.stats()
        assert stats["bytes"] <= 100_000
        assert stats["evictions"] == 300 - stats["entries"] > 0


class TestInvalidation:
    async def test_a_commit_drops_what_read_its_tables_and_nothing_else(self, rig: Any) -> None:
        counting(rig, "/invoices", tables=("invoices",))
        counting(rig, "/nodes", tables=("nodes",))
        for path in ("/invoices", "/nodes"):
            await rig.ask(path)
        rig.hook.commit("invoices")
        assert (await rig.ask("/invoices")).cache == "MISS"
        assert (await rig.ask("/nodes")).cache == "HIT"

    async def test_a_rollback_gives_the_entry_back(self, make_rig: Any) -> None:
        rig = make_rig(CacheConfig(wait_s=0))
        computed = counting(rig)
        await rig.ask("/a")
        transaction = rig.hook.transaction()
        transaction.write("invoices")
        transaction.mark()
        under_way = await rig.ask("/a")
        assert (under_way.cache, under_way.body) == ("MISS", b"2")
        transaction.unmark()
        assert (await rig.ask("/a")).cache == "HIT"
        assert len(computed) == 2

    async def test_t7_a_commit_whose_fate_is_unknown_gives_no_hit_until_it_counts_as_done(
        self, make_rig: Any
    ) -> None:
        rig = make_rig(CacheConfig(wait_s=0, mark_lease_s=30))
        counting(rig)
        await rig.ask("/a")
        transaction = rig.hook.transaction()
        transaction.write("invoices")
        transaction.mark()
        assert (await rig.ask("/a")).cache == "MISS"
        rig.clock.advance(30)
        assert (await rig.ask("/a")).cache == "MISS"
        assert (await rig.ask("/a")).cache == "HIT"
        transaction.bump()
        assert (await rig.ask("/a")).cache == "MISS"

    async def test_t10_a_reader_that_meets_a_commit_waits_for_it(self, make_rig: Any) -> None:
        rig = make_rig(CacheConfig(wait_s=30))
        computed = counting(rig)
        await rig.ask("/a")
        transaction = rig.hook.transaction()
        transaction.write("invoices")
        transaction.mark()
        readers = [asyncio.ensure_future(rig.ask("/a")) for _ in range(20)]
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(computed) == 1
        transaction.bump()
        answers = await asyncio.gather(*readers)
        assert {answer.body for answer in answers} == {b"2"}
        assert len(computed) == 2

    async def test_t10_a_reader_does_not_wait_for_ever(self, make_rig: Any) -> None:
        rig = make_rig(CacheConfig(wait_s=0.001))
        counting(rig)
        await rig.ask("/a")
        transaction = rig.hook.transaction()
        transaction.write("invoices")
        transaction.mark()
        assert (await rig.ask("/a")).body == b"2"

    async def test_a_write_by_path_takes_all_below_and_all_queries(self, rig: Any, reply: Any) -> None:
        @invalidates("/api/functions")
        async def write(scope: Any, receive: Any, send: Any) -> None:
            await reply(send, b"done", status=int(scope["query_string"] or b"200"))

        rig.app.add("/write", write, "POST", "GET")
        paths = ["/api/functions", "/api/functions?x=1", "/api/functions/7", "/api/functions-old", "/api"]
        for path in {path.partition("?")[0] for path in paths}:
            counting(rig, path, tables=())

        async def after(method: str, status: int) -> list[str]:
            for path in paths:
                await rig.ask(path)
            await rig.ask(f"/write?{status}", method=method)
            return [(await rig.ask(path)).cache for path in paths]

        assert await after("POST", 200) == ["MISS", "MISS", "MISS", "HIT", "HIT"]
        assert await after("POST", 302) == ["MISS", "MISS", "MISS", "HIT", "HIT"]
        assert await after("POST", 400) == ["HIT"] * 5
        assert await after("GET", 200) == ["HIT"] * 5

    async def test_by_path_the_answer_is_dropped_before_the_writer_hears_of_it(self, rig: Any, reply: Any) -> None:
        @invalidates("/a")
        async def write(scope: Any, receive: Any, send: Any) -> None:
            await reply(send, b"done")

        rig.app.add("/write", write, "POST")
        counting(rig, tables=())
        await rig.ask("/a")
        kept_at_start: list[int] = []
        await rig.ask(
            "/write", method="POST", sent=lambda message: kept_at_start.append(rig.cache.stats()["entries"])
        )
        assert kept_at_start == [0, 0]

    async def test_t8_a_commit_after_the_response_has_started_is_told(self, rig: Any, reply: Any) -> None:
        async def early(scope: Any, receive: Any, send: Any) -> None:
            rig.hook.commit("invoices")
            await reply(send, b"done")

        async def late(scope: Any, receive: Any, send: Any) -> None:
            await reply(send, b"done")
            rig.hook.commit("invoices")

        rig.app.add("/early", early, "POST")
        rig.app.add("/late", late, "POST")
        await rig.ask("/early", method="POST")
        assert rig.cache.stats()["lateCommits"] == 0
        await rig.ask("/late", method="POST")
        assert rig.cache.stats()["lateCommits"] == 1


class TestClock:
    async def test_t14_an_answer_lives_until_the_instant_it_declares(self, rig: Any, reply: Any) -> None:
        @cached(public=True, ttl=3_600, stale_while_revalidate=3_600)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            valid_until(rig.clock.now() + timedelta(seconds=10))
            valid_until(rig.clock.now() + timedelta(seconds=20))
            await reply(send, b"x")

        rig.app.add("/a", endpoint)
        await rig.ask("/a")
        rig.clock.advance(9.9)
        assert (await rig.ask("/a")).cache == "HIT"
        rig.clock.advance(0.1)
        assert (await rig.ask("/a")).cache == "MISS"

    async def test_t14_an_instant_that_has_come_already_keeps_nothing(self, rig: Any, reply: Any) -> None:
        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            valid_until(rig.clock.now())
            await reply(send, b"x")

        rig.app.add("/a", endpoint)
        await rig.ask("/a")
        assert (await rig.ask("/a")).cache == "MISS"


class TestStreaming:
    """Trap T13: reads go on after the headers, writes come after the body."""

    async def test_t13_pieces_pass_as_they_come_and_the_whole_is_kept(self, rig: Any) -> None:
        seen: list[bytes] = []

        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"one ", "more_body": True})
            assert seen == [b"one "]
            await send({"type": "http.response.body", "body": b"two"})

        def sent(message: Any) -> None:
            if message["type"] == "http.response.body":
                seen.append(message["body"])

        rig.app.add("/a", endpoint)
        first = await rig.ask("/a", sent=sent)
        assert (first.cache, first.body, first.starts) == ("MISS", b"one two", 1)
        second = await rig.ask("/a")
        assert (second.cache, second.body, second.headers["content-length"]) == ("HIT", b"one two", "7")

    async def test_t13_what_is_read_between_the_pieces_counts(self, rig: Any) -> None:
        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"one ", "more_body": True})
            rig.hook.read("nodes")
            await send({"type": "http.response.body", "body": b"two"})

        rig.app.add("/a", endpoint)
        await rig.ask("/a")
        rig.hook.commit("nodes")
        assert (await rig.ask("/a")).cache == "MISS"

    async def test_t13_a_write_after_the_last_byte_revokes_what_was_kept(self, rig: Any, reply: Any) -> None:
        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            await reply(send, b"x")
            assert rig.cache.stats()["entries"] == 1
            rig.hook.read("nodes")
            rig.hook.commit("visits")

        rig.app.add("/a", endpoint)
        answer = await rig.ask("/a")
        reads = answer.scope["steinmetz.recording"].read_set().relations
        assert not any(relation.database == "main" for relation in reads)
        assert rig.cache.stats()["entries"] == 0
        assert rig.cache.stats()["revoked"] == 1

    async def test_t13_above_the_limit_nothing_is_gathered_and_nothing_kept(
        self, make_rig: Any, reply: Any
    ) -> None:
        rig = make_rig(CacheConfig(max_entry_bytes=10))
        answering(rig, reply, more=[b"x" * 8, b"y" * 8])
        assert (await rig.ask("/a")).body == b"body" + b"x" * 8 + b"y" * 8
        assert (await rig.ask("/a")).cache == "MISS"
        assert rig.cache.stats()["notStoredReasons"] == {"body is above the limit": 2}

    async def test_t13_a_stream_that_breaks_off_is_not_kept(self, rig: Any) -> None:
        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"one ", "more_body": True})

        rig.app.add("/a", endpoint)
        await rig.ask("/a")
        assert (await rig.ask("/a")).cache == "MISS"

    async def test_a_file_that_the_server_sends_itself_passes_and_is_not_kept(self, rig: Any) -> None:
        kinds: list[str] = []

        @cached(public=True)
        async def endpoint(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.pathsend", "path": "/etc/hostname"})

        rig.app.add("/a", endpoint)
        await rig.ask("/a", sent=lambda message: kinds.append(message["type"]))
        assert kinds == ["http.response.start", "http.response.pathsend"]
        assert rig.cache.stats()["entries"] == 0


class TestFinish:
    """Trap T17: middlewares stand inside the cache."""

    async def test_t17_every_response_is_finished_and_nothing_of_it_is_kept(
        self, make_rig: Any, reply: Any
    ) -> None:
        serial = iter(range(100))

        def finish(scope: Any, status: int, headers: Any) -> Any:
            return [*headers, (b"x-request-id", b"%d" % next(serial)), (b"x-path", scope["path"].encode())]

        rig = make_rig(finish=finish)
        counting(rig)

        async def plain(scope: Any, receive: Any, send: Any) -> None:
            await reply(send, b"x")

        rig.app.add("/plain", plain, "GET", "POST")
        etag = (await rig.ask("/a")).headers["etag"]
        answers = [
            await rig.ask("/a"),
            await rig.ask("/a", headers=[("If-None-Match", etag)]),
            await rig.ask("/a", headers=[("Cache-Control", "no-store")]),
            await rig.ask("/a", headers=[("Cache-Control", "no-cache")]),
            await rig.ask("/plain"),
            await rig.ask("/plain", method="POST"),
            await rig.ask("/nowhere"),
        ]
        assert [answer.headers["x-request-id"] for answer in answers] == ["1", "2", "3", "4", "5", "6", "7"]
        assert [answer.cache for answer in answers] == ["HIT", "HIT", "BYPASS", "MISS", "-", "-", "-"]
        assert not any("x-request-id" in str(entry) for entry in rig.cache.entries())


class TestStale:
    async def test_past_its_time_it_is_given_while_a_new_one_is_computed(self, rig: Any) -> None:
        computed = counting(rig, ttl=60, stale_while_revalidate=30)
        await rig.ask("/a")
        rig.clock.advance(61)
        stale = [await rig.ask("/a") for _ in range(3)]
        assert [(answer.cache, answer.body) for answer in stale] == [("STALE", b"1")] * 3
        assert stale[0].headers["cache-status"] == "SteinmetZ; hit; ttl=-1"
        for _ in range(5):
            await asyncio.sleep(0)
        fresh = await rig.ask("/a")
        assert (fresh.cache, fresh.body) == ("HIT", b"2")
        assert len(computed) == 2
        await rig.cache.aclose()

    async def test_an_invalidation_is_never_crossed(self, rig: Any) -> None:
        counting(rig, ttl=60, stale_while_revalidate=30)
        await rig.ask("/a")
        rig.clock.advance(61)
        rig.hook.commit("invoices")
        assert (await rig.ask("/a")).cache == "MISS"


class TestSwitchAndInside:
    async def test_switched_off_every_cached_route_passes_by(self, rig: Any) -> None:
        counting(rig)
        await rig.ask("/a")
        rig.cache.enabled = False
        assert [(await rig.ask("/a")).cache for _ in range(2)] == ["BYPASS", "BYPASS"]
        rig.hook.commit("invoices")
        rig.cache.enabled = True
        assert (await rig.ask("/a")).cache == "MISS"

    async def test_recomputing_neither_looks_up_nor_keeps_and_tells_what_was_read(self, rig: Any) -> None:
        counting(rig)
        await rig.ask("/a")
        answer = await rig.ask("/a", **{"steinmetz.cache": "recompute"})
        assert (answer.body, answer.cache) == (b"2", "-")
        reads = answer.scope["steinmetz.recording"].read_set()
        assert "main:invoices" in {str(relation) for relation in reads.relations}
        assert answer.scope["steinmetz.recording"].sequence == 0
        assert (await rig.ask("/a")).body == b"1"

    async def test_an_unknown_instruction_is_an_error(self, rig: Any) -> None:
        counting(rig)
        with pytest.raises(ValueError, match="recompute"):
            await rig.ask("/a", **{"steinmetz.cache": "x"})

    async def test_a_client_cannot_give_the_instruction(self, rig: Any) -> None:
        counting(rig)
        await rig.ask("/a")
        assert (await rig.ask("/a", headers=[("steinmetz.cache", "recompute")])).cache == "HIT"

    async def test_routes_without_a_mark_pass_with_a_recording_and_no_word(self, rig: Any, reply: Any) -> None:
        async def plain(scope: Any, receive: Any, send: Any) -> None:
            rig.hook.read("nodes")
            await reply(send, b"x")

        rig.app.add("/plain", plain)
        answer = await rig.ask("/plain")
        assert "x-cache" not in answer.headers
        assert answer.scope["steinmetz.recording"].scope.name == "GET /plain"

    async def test_other_protocols_pass_untouched(self, rig: Any) -> None:
        seen: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(scope)

        async def nothing(*message: Any) -> Any:
            raise AssertionError("nobody asks")

        scope = {"type": "websocket", "path": "/a"}
        await rig.cache.wrap(app)(scope, nothing, nothing)
        assert seen[0] is scope

    async def test_the_path_below_root_path_is_what_counts(self, rig: Any) -> None:
        counting(rig)

        async def strip(scope: Any, receive: Any, send: Any) -> None:
            await rig.app({**scope, "path": scope["path"].removeprefix("/base")}, receive, send)

        rig.door = rig.cache.wrap(strip, rig.app)
        assert (await rig.ask("/base/a", root_path="/base")).cache == "MISS"
        assert (await rig.ask("/base/a", root_path="/base")).cache == "HIT"

    async def test_an_own_key_stands_in_place_of_the_query(self, rig: Any) -> None:
        def by_customer(request: KeyRequest) -> str:
            return request.query.partition(b"&")[0].decode()

        counting(rig, key=by_customer)
        await rig.ask("/a?customer=1&noise=1")
        assert (await rig.ask("/a?customer=1&noise=2")).cache == "HIT"
        assert (await rig.ask("/a?customer=2&noise=2")).cache == "MISS"
