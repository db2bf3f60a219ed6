"""Answers for callers within the process: whose they are, what is kept of them, and what is not theirs to ask."""

from __future__ import annotations

from typing import Any

import pytest

from steinmetz.cache import Principal, cached, valid_until
from steinmetz.cache.asgi.within import MAX_PATH_CHARS, NoViewpoint, Viewpoint

pytestmark = pytest.mark.anyio

ANNA, BERT, CARL = Principal("anna", "clerk"), Principal("bert", "clerk"), Principal("carl", "admin")


def counting(rig: Any, path: str = "/a", **terms: Any) -> list[Any]:
    """A live route that reads invoices and answers how often it was computed; for whom is noted."""
    computed: list[Any] = []

    @cached(**{"live": True, **terms})
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        rig.hook.read("invoices")
        admission = scope.get("steinmetz.admission")
        computed.append(None if admission is None else admission.principal.subject)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % len(computed)})

    rig.app.add(path, endpoint)
    return computed


def viewpoint(rig: Any, path: str = "/a", principal: Principal | None = ANNA) -> Viewpoint:
    found = rig.door.within.viewpoint(path, principal)
    assert isinstance(found, Viewpoint)
    return found


async def test_what_is_computed_within_is_kept_for_all_and_what_is_kept_is_not_computed(rig: Any) -> None:
    computed = counting(rig, shared=True)
    answered = await rig.door.within.answer(viewpoint(rig), keep=True)
    outside = await rig.ask("/a", user="carl")
    assert (outside.cache, outside.body, outside.headers["etag"]) == ("HIT", b"1", answered.etag)
    assert (await rig.door.within.answer(viewpoint(rig, principal=BERT), keep=True)).body == b"1"
    rig.hook.commit("invoices")
    assert (await rig.door.within.answer(viewpoint(rig), keep=True)).body == b"2"
    assert computed == ["anna", "anna"]
    assert "invoices" in {relation.name for relation in answered.read_set.relations}


async def test_what_nobody_has_asked_for_is_not_kept(rig: Any) -> None:
    computed = counting(rig, shared=True)
    assert (await rig.door.within.answer(viewpoint(rig), keep=False)).body == b"1"
    assert (await rig.ask("/a", user="carl")).cache == "MISS"
    assert (await rig.door.within.answer(viewpoint(rig), keep=False)).body == b"2"
    assert len(computed) == 2


async def test_the_query_may_be_spelled_in_any_order(rig: Any) -> None:
    counting(rig, shared=True)
    assert viewpoint(rig, "/a?x=1&y=2").key == viewpoint(rig, "/a?y=2&x=1").key != viewpoint(rig, "/a?x=2&y=1").key


@pytest.mark.parametrize(
    ("terms", "same", "is_private"),
    [
        ({"shared": True}, {"anna", "bert", "carl"}, False),
        ({"vary_on": "role"}, {"anna", "bert"}, False),
        ({"vary_on": "user"}, {"anna"}, True),
    ],
)
def test_t32_whose_answer_it_is_follows_the_mark(
    rig: Any, terms: dict[str, Any], same: set[str], is_private: bool
) -> None:
    counting(rig, **terms)
    mine = viewpoint(rig)
    assert mine.is_private is is_private
    assert {who.subject for who in (ANNA, BERT, CARL) if viewpoint(rig, principal=who).key == mine.key} == same


def test_a_stranger_may_listen_to_what_is_public_only(rig: Any) -> None:
    counting(rig, "/public", public=True)
    counting(rig, "/shared", shared=True)
    within = rig.door.within
    assert isinstance(within.viewpoint("/public", None), Viewpoint)
    assert within.viewpoint("/shared", None) is NoViewpoint.UNAUTHENTICATED


def test_only_routes_that_say_so_are_live(rig: Any) -> None:
    counting(rig, "/kept", shared=True, live=False)
    assert [rig.door.within.viewpoint(path, ANNA) for path in ("/kept", "/nowhere")] == [NoViewpoint.NOT_LIVE] * 2


@pytest.mark.parametrize(
    "path", ["", "a", "/a b", "/a#b", "/ä", "/a\n", "/a?q=\x00", "/a?<", "/" + "a" * MAX_PATH_CHARS]
)
def test_what_could_stand_in_no_request_is_refused(rig: Any, path: str) -> None:
    counting(rig, shared=True)
    assert rig.door.within.viewpoint(path, ANNA) is NoViewpoint.INVALID


async def test_t34_a_result_that_a_commit_has_overtaken_is_given_but_not_kept(rig: Any) -> None:
    computed: list[int] = []

    @cached(shared=True, live=True)
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        rig.hook.read("invoices")
        computed.append(1)
        rig.hook.commit("invoices")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % len(computed)})

    rig.app.add("/a", endpoint)
    assert (await rig.door.within.answer(viewpoint(rig), keep=True)).body == b"1"
    assert rig.door.within.kept(viewpoint(rig)) is None


async def test_other_statuses_and_the_end_of_validity_are_told(rig: Any) -> None:
    until = rig.clock.now()

    @cached(shared=True, live=True)
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        valid_until(until)
        await send({"type": "http.response.start", "status": 403, "headers": [(b"etag", b'"x"')]})
        await send({"type": "http.response.body", "body": b"no"})

    rig.app.add("/a", endpoint)
    answered = await rig.door.within.answer(viewpoint(rig), keep=True)
    assert (answered.status, answered.body, answered.etag) == (403, b"no", '"x"')
    assert answered.valid_until_s == until.timestamp()


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize(
    ("vary", "varies"), [(b"Accept-Language", True), (b"*", True), (b"Accept-Encoding", False)]
)
async def test_an_answer_that_a_field_of_the_request_selects_says_so(
    rig: Any, reply: Any, keep: bool, vary: bytes, varies: bool
) -> None:
    @cached(shared=True, live=True)
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        await reply(send, b"1", (b"vary", vary))

    rig.app.add("/a", endpoint)
    assert (await rig.door.within.answer(viewpoint(rig), keep=keep)).varies is varies


async def test_what_the_application_binds_need_not_be_live_nor_cached_and_then_is_not_kept(rig: Any) -> None:
    computed = counting(rig, "/private", vary_on="user")

    async def plain(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"plain"})

    rig.app.add("/plain", plain)
    for path, body in (("/plain", b"plain"), ("/private", b"1"), ("/private", b"2")):
        bound = rig.door.within.bound(path, ANNA)
        assert bound.is_private is False
        assert (await rig.door.within.answer(bound, keep=True)).body == body
    assert computed == ["anna", "anna"]
    assert (await rig.ask("/private", user="anna")).cache == "MISS"


async def test_what_the_application_binds_and_clients_subscribe_to_is_one_answer(rig: Any) -> None:
    counting(rig, shared=True)
    assert rig.door.within.bound("/a", ANNA).key == viewpoint(rig, principal=CARL).key
