"""The watch for development: a shared answer that is not the same for all is found, told, and shared no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from steinmetz.cache import CacheConfig, cached

pytestmark = pytest.mark.anyio

TOLD = "A kept answer is not what another caller would have got; the route by-passes the cache from now on"


@pytest.fixture
def rig(make_rig: Any) -> Any:
    return make_rig(CacheConfig(watch_identity=True, watch_rate=1), draw=lambda: 0.5)


def route(rig: Any, reply: Any, body: Callable[[dict[bytes, bytes]], bytes], *lines: Any, **terms: Any) -> None:
    @cached(**terms)
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        rig.hook.read("invoices")
        await reply(send, body(dict(scope["headers"])), *lines)

    rig.app.add("/a", endpoint)


async def test_a_shared_answer_that_names_its_caller_is_found_before_it_is_given(rig: Any, reply: Any) -> None:
    route(rig, reply, lambda headers: headers[b"x-user"], shared=True)
    with capture_logs() as logs:
        first, second = await rig.ask("/a", user="anna"), await rig.ask("/a", user="bert")
    assert (first.body, second.body) == (b"anna", b"bert")
    (line,) = logs
    assert line == {
        "event": TOLD,
        "log_level": "warning",
        "route": "/a",
        "shared_by": "none",
        "differing": ["body"],
        "asked_with_other": ["the caller", "x-user"],
        "steady": True,
        "remedy": 'cached(vary_on="user" or "role"), a Vary header, or key=...',
    }
    third = await rig.ask("/a", user="anna")
    assert (third.body, third.cache) == (b"anna", "BYPASS")
    stats = rig.cache.stats()
    assert (stats["leaks"], stats["compared"], stats["entries"]) == (1, 1, 0)
    assert stats["routes"][0]["resting"] == "not the same for all who were to share it"


async def test_by_role_too(rig: Any, reply: Any) -> None:
    route(rig, reply, lambda headers: headers[b"x-user"], vary_on="role")
    with capture_logs() as logs:
        await rig.ask("/a", user="anna")
        assert (await rig.ask("/a", user="carl")).cache == "MISS"  # another role: not shared with him
        assert (await rig.ask("/a", user="bert")).body == b"bert"
    assert [line["shared_by"] for line in logs] == ["role"]


async def test_a_header_that_is_read_but_not_in_the_key_is_named_without_its_value(rig: Any, reply: Any) -> None:
    route(rig, reply, lambda headers: headers.get(b"cookie", b""), public=True)
    with capture_logs() as logs:
        await rig.ask("/a", headers=[("Cookie", "theme=secret"), ("Accept", "*/*")])
        assert (await rig.ask("/a", headers=[("Accept", "*/*")])).body == b""
    assert logs[0]["asked_with_other"] == ["cookie"]
    assert "secret" not in repr(logs)


async def test_a_header_that_vary_names_is_in_the_key(rig: Any, reply: Any) -> None:
    language: Any = lambda headers: headers.get(b"accept-language", b"")  # noqa: E731
    route(rig, reply, language, (b"vary", b"Accept-Language"), public=True)
    for wanted in ("de", "en", "de"):
        answer = await rig.ask("/a", headers=[("Accept-Language", wanted)])
        assert (answer.body.decode(), answer.cache) == (wanted, "MISS")
    assert rig.cache.stats()["leaks"] == 0


async def test_an_honest_route_stays_a_hit(rig: Any, reply: Any) -> None:
    route(rig, reply, lambda headers: b"for all", shared=True)
    await rig.ask("/a", user="anna")
    compared = await rig.ask("/a", user="bert", method="HEAD", headers=[("If-None-Match", '"x"')])
    assert (compared.status, compared.body, compared.cache) == (200, b"", "BYPASS")
    assert "compared with the kept answer" in compared.headers["cache-status"]
    assert (await rig.ask("/a", user="anna")).cache == "HIT"
    assert (rig.cache.stats()["leaks"], rig.cache.stats()["compared"]) == (0, 1)


async def test_an_answer_that_chance_had_a_part_in_is_told_as_such(rig: Any, reply: Any) -> None:
    computed: list[int] = []

    def body(headers: Any) -> bytes:
        computed.append(1)
        return b"%d" % len(computed)

    route(rig, reply, body, shared=True)
    with capture_logs() as logs:
        await rig.ask("/a", user="anna")
        await rig.ask("/a", user="bert")
    assert logs[0]["steady"] is False
    assert "clock" in logs[0]["remedy"]


async def test_what_a_write_has_changed_meanwhile_is_no_difference(rig: Any, reply: Any) -> None:
    value = [b"old"]

    def body(headers: Any) -> bytes:
        found = value[0]
        if headers[b"x-user"] == b"bert":
            value[0] = found = b"new"
            rig.hook.commit("invoices")
        return found

    route(rig, reply, body, shared=True)
    await rig.ask("/a", user="anna")
    assert (await rig.ask("/a", user="bert")).body == b"new"
    assert rig.cache.stats()["leaks"] == 0


async def test_only_a_share_is_looked_at(make_rig: Any, reply: Any) -> None:
    draws = iter([0.9, 0.05])
    rig = make_rig(CacheConfig(watch_identity=True, watch_rate=0.1), draw=lambda: next(draws))
    route(rig, reply, lambda headers: b"x", shared=True)
    await rig.ask("/a", user="anna")
    assert [(await rig.ask("/a", user="bert")).cache for _ in range(2)] == ["HIT", "BYPASS"]


async def test_nobody_watches_unless_told_to(make_rig: Any, reply: Any) -> None:
    rig = make_rig(draw=lambda: 0.0)
    route(rig, reply, lambda headers: b"x", shared=True)
    await rig.ask("/a", user="anna")
    assert (await rig.ask("/a", user="bert")).cache == "HIT"


def test_a_rate_that_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        CacheConfig(watch_rate=0)
