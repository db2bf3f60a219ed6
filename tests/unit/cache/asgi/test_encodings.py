"""Kept answers in other content codings: what a client is given, and when they are made."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import pytest

from steinmetz.cache import cached
from steinmetz.cache.asgi import encodings as module
from steinmetz.cache.policy.codings import AVAILABLE, Coding

pytestmark = pytest.mark.anyio

TEXT = b'{"id": 7, "name": "M\xc3\xbcller"}, ' * 100
LARGE = TEXT * 20
JSON = (b"content-type", b"application/json")
GZIP = [("Accept-Encoding", "gzip")]
BROWSER = [("Accept-Encoding", "gzip, deflate, br, zstd")]


def answering(rig: Any, reply: Any, *headers: tuple[bytes, bytes], body: bytes = TEXT, **terms: Any) -> list[Any]:
    """A cached route; the list grows with each computation by the headers it was asked with."""
    computed: list[Any] = []
    terms.setdefault("public", True)

    @cached(**terms)
    async def endpoint(scope: Any, receive: Any, send: Any) -> None:
        rig.hook.read("invoices")
        computed.append(scope["headers"])
        await reply(send, body, *(headers or (JSON,)))

    rig.app.add("/a", endpoint)
    return computed


async def ask_times(rig: Any, times: int, **how: Any) -> Any:
    for _ in range(times - 1):
        await rig.ask("/a", **how)
    return await rig.ask("/a", **how)


async def all_made(rig: Any) -> None:
    await asyncio.gather(*rig.cache._tasks._running)


class TestWhatIsGiven:
    async def test_the_second_hit_that_wants_it_has_it_made(self, rig: Any, reply: Any) -> None:
        answering(rig, reply)
        miss, first, second = [await rig.ask("/a", headers=GZIP) for _ in range(3)]
        assert [answer.cache for answer in (miss, first, second)] == ["MISS", "HIT", "HIT"]
        assert "content-encoding" not in miss.headers
        assert "content-encoding" not in first.headers
        assert second.headers["content-encoding"] == "gzip"
        assert gzip.decompress(second.body) == first.body == miss.body == TEXT
        assert second.headers["content-length"] == str(len(second.body))
        assert second.headers["content-type"] == "application/json"
        assert second.headers["age"] == "0"

    async def test_all_forms_say_that_there_are_others(self, rig: Any, reply: Any) -> None:
        answering(rig, reply, JSON, (b"vary", b"Accept-Language"))
        answers = [await rig.ask("/a", headers=GZIP) for _ in range(3)]
        answers.append(await rig.ask("/a"))
        answers.append(await rig.ask("/a", headers=[*GZIP, ("If-None-Match", answers[0].headers["etag"])]))
        assert answers[-1].status == 304
        assert {answer.headers["vary"] for answer in answers} == {"Accept-Language, Accept-Encoding"}

    async def test_who_accepts_nothing_else_is_given_identity(self, rig: Any, reply: Any) -> None:
        answering(rig, reply)
        await ask_times(rig, 4, headers=GZIP)
        for headers in ([], [("Accept-Encoding", "br")], [("Accept-Encoding", "gzip;q=0")]):
            answer = await rig.ask("/a", headers=headers)
            assert answer.body == TEXT
            assert "content-encoding" not in answer.headers
            assert answer.headers["content-length"] == str(len(TEXT))

    async def test_a_browser_is_given_the_best_that_there_is(self, rig: Any, reply: Any) -> None:
        answering(rig, reply)
        answer = await ask_times(rig, 4, headers=BROWSER)
        assert answer.headers["content-encoding"] == AVAILABLE[0].value.decode()

    async def test_meanwhile_it_is_given_what_another_client_wanted(self, rig: Any, reply: Any) -> None:
        answering(rig, reply)
        await ask_times(rig, 3, headers=GZIP)
        rig.door.encodings._under_way = module.MAX_UNDER_WAY
        entry = next(iter(rig.cache._store))
        entry.body = LARGE
        answer = await rig.ask("/a", headers=BROWSER)
        assert answer.headers["content-encoding"] == "gzip"

    async def test_lines_of_one_field_are_one_list(self, rig: Any, reply: Any) -> None:
        answering(rig, reply)
        headers = [("Accept-Encoding", "br"), ("Accept-Encoding", "gzip")]
        assert (await ask_times(rig, 3, headers=headers)).headers["content-encoding"] == "gzip"

    async def test_head_says_what_get_would_have_sent(self, rig: Any, reply: Any) -> None:
        answering(rig, reply)
        got = await ask_times(rig, 3, headers=GZIP)
        head = await rig.ask("/a", method="HEAD", headers=GZIP)
        assert (head.status, head.body) == (200, b"")
        assert head.headers == got.headers

    async def test_a_range_is_cut_from_identity(self, rig: Any, reply: Any) -> None:
        computed = answering(rig, reply, JSON, (b"accept-ranges", b"bytes"))
        encoded = await ask_times(rig, 3, headers=GZIP)
        assert "accept-ranges" not in encoded.headers
        answer = await rig.ask("/a", headers=[*GZIP, ("Range", "bytes=0-3")])
        assert (answer.cache, answer.status, answer.body) == ("HIT", 206, TEXT[:4])
        assert "content-encoding" not in answer.headers
        assert len(computed) == 1

    async def test_a_stale_answer_too(self, rig: Any, reply: Any) -> None:
        answering(rig, reply, ttl=60, stale_while_revalidate=60)
        await ask_times(rig, 3, headers=GZIP)
        rig.clock.advance(61)
        answer = await rig.ask("/a", headers=GZIP)
        assert (answer.cache, answer.headers["content-encoding"]) == ("STALE", "gzip")
        assert gzip.decompress(answer.body) == TEXT
        await rig.cache.aclose()

    async def test_if_identity_is_refused_it_is_made_at_the_first_hit(self, rig: Any, reply: Any) -> None:
        answering(rig, reply, body=LARGE)
        headers = [("Accept-Encoding", "gzip, identity;q=0")]
        assert gzip.decompress((await ask_times(rig, 2, headers=headers)).body) == LARGE

    async def test_if_nothing_is_accepted_it_is_given_as_it_is(self, rig: Any, reply: Any) -> None:
        answering(rig, reply)
        answer = await ask_times(rig, 4, headers=[("Accept-Encoding", "identity;q=0, br")])
        assert (answer.status, answer.body) == (200, TEXT)


class TestWhatIsLeftAlone:
    @pytest.mark.parametrize(
        ("headers", "body", "terms"),
        [
            ((JSON,), TEXT[:1_000], {}),
            (((b"content-type", b"image/png"),), TEXT, {}),
            ((JSON, (b"content-encoding", b"br")), TEXT, {}),
            ((JSON, (b"cache-control", b"no-transform, max-age=60")), TEXT, {}),
            ((JSON, (b"vary", b"accept-encoding")), TEXT, {}),
            ((JSON,), TEXT, {"compress": False}),
        ],
    )
    async def test_it_goes_out_as_the_application_gave_it(
        self, rig: Any, reply: Any, headers: Any, body: bytes, terms: Any
    ) -> None:
        answering(rig, reply, *headers, body=body, **terms)
        answer = await ask_times(rig, 4, headers=GZIP)
        assert (answer.cache, answer.body) == ("HIT", body)
        own = {name.decode(): value.decode() for name, value in headers}
        assert answer.headers.get("content-encoding") == own.get("content-encoding")
        assert answer.headers.get("vary") == own.get("vary")

    async def test_what_does_not_become_smaller_is_tried_once(
        self, rig: Any, reply: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[Coding] = []

        def in_vain(coding: Coding, body: bytes) -> bytes:
            tried.append(coding)
            return body

        monkeypatch.setattr(module, "encode", in_vain)
        answering(rig, reply)
        answer = await ask_times(rig, 6, headers=GZIP)
        assert answer.body == TEXT
        assert "content-encoding" not in answer.headers
        assert [coding.value for coding in tried] == [b"gzip"]


class TestValidators:
    async def test_each_form_has_a_strong_one_of_its_own(self, rig: Any, reply: Any) -> None:
        answering(rig, reply)
        plain, encoded = await rig.ask("/a"), await ask_times(rig, 3, headers=GZIP)
        assert encoded.headers["etag"] == plain.headers["etag"][:-1] + '-gzip"'

    async def test_any_form_that_the_request_accepts_is_304_with_its_own_validator(
        self, rig: Any, reply: Any
    ) -> None:
        answering(rig, reply)
        plain, encoded = await rig.ask("/a"), await ask_times(rig, 3, headers=GZIP)
        for etag in (plain.headers["etag"], encoded.headers["etag"]):
            answer = await rig.ask("/a", headers=[*GZIP, ("If-None-Match", etag)])
            assert (answer.status, answer.headers["etag"], answer.body) == (304, etag, b"")
            assert "content-encoding" not in answer.headers
            assert "content-length" not in answer.headers

    async def test_the_form_wanted_most_is_named_if_the_client_has_several(self, rig: Any, reply: Any) -> None:
        answering(rig, reply)
        plain, encoded = await rig.ask("/a"), await ask_times(rig, 3, headers=GZIP)
        both = f"{plain.headers['etag']}, {encoded.headers['etag']}"
        answer = await rig.ask("/a", headers=[*GZIP, ("If-None-Match", both)])
        assert (answer.status, answer.headers["etag"]) == (304, encoded.headers["etag"])

    async def test_a_form_that_the_request_does_not_accept_is_no_answer_to_it(self, rig: Any, reply: Any) -> None:
        answering(rig, reply)
        encoded = await ask_times(rig, 3, headers=GZIP)
        answer = await rig.ask("/a", headers=[("If-None-Match", encoded.headers["etag"])])
        assert (answer.status, answer.body) == (200, TEXT)

    async def test_it_holds_across_a_computation_that_changed_nothing(self, rig: Any, reply: Any) -> None:
        answering(rig, reply)
        encoded = await ask_times(rig, 3, headers=GZIP)
        rig.hook.commit("invoices")
        answer = await rig.ask("/a", headers=[*GZIP, ("If-None-Match", encoded.headers["etag"])])
        assert (answer.status, answer.cache, answer.headers["etag"]) == (304, "MISS", encoded.headers["etag"])

    async def test_a_weak_one_of_the_application_is_that_of_all_forms(self, rig: Any, reply: Any) -> None:
        answering(rig, reply, JSON, (b"etag", b'W/"7"'))
        encoded = await ask_times(rig, 3, headers=GZIP)
        assert (encoded.headers["etag"], encoded.headers["content-encoding"]) == ('W/"7"', "gzip")

    async def test_a_write_that_names_a_form_is_understood_by_the_application(self, rig: Any, reply: Any) -> None:
        answering(rig, reply, JSON, (b"etag", b'"7"'))
        encoded = await ask_times(rig, 3, headers=GZIP)
        seen: list[Any] = []

        async def change(scope: Any, receive: Any, send: Any) -> None:
            seen.extend(value for name, value in scope["headers"] if name == b"if-match")
            await reply(send, b"")

        rig.app.add("/b", change, "PUT")
        await rig.ask("/b", method="PUT", headers=[("If-Match", encoded.headers["etag"])])
        assert seen == [b'"7"']


class TestWhenTheyAreMade:
    async def test_a_large_one_is_made_behind_the_answer(self, rig: Any, reply: Any) -> None:
        answering(rig, reply, body=LARGE)
        third = await ask_times(rig, 3, headers=GZIP)
        assert third.body == LARGE
        assert len(rig.cache._tasks) == 1
        await all_made(rig)
        answer = await rig.ask("/a", headers=GZIP)
        assert gzip.decompress(answer.body) == LARGE
        assert rig.door.encodings.made == 1

    async def test_while_the_best_is_being_made_no_other_is(self, rig: Any, reply: Any) -> None:
        answering(rig, reply, body=LARGE)
        await ask_times(rig, 6, headers=BROWSER)
        await all_made(rig)
        await ask_times(rig, 3, headers=BROWSER)
        assert rig.door.encodings.made == 1

    async def test_so_many_at_once_and_no_more(self, rig: Any, reply: Any) -> None:
        answering(rig, reply, body=LARGE)
        for number in range(module.MAX_UNDER_WAY + 2):
            for _ in range(3):
                await rig.ask(f"/a?n={number}", headers=GZIP)
            assert rig.door.encodings._under_way <= module.MAX_UNDER_WAY
        await rig.cache.aclose()

    async def test_after_the_end_it_is_given_as_it_is(self, rig: Any, reply: Any) -> None:
        answering(rig, reply, body=LARGE)
        await rig.ask("/a")
        await rig.cache.aclose()
        assert (await ask_times(rig, 4, headers=GZIP)).body == LARGE

    async def test_what_was_dropped_meanwhile_weighs_nothing(self, rig: Any, reply: Any) -> None:
        answering(rig, reply, body=LARGE)
        await ask_times(rig, 3, headers=GZIP)
        rig.hook.commit("invoices")
        await all_made(rig)
        assert (rig.cache.stats()["entries"], rig.cache.stats()["bytes"]) == (0, 0)

    async def test_the_forms_count_in_the_budget(self, rig: Any, reply: Any) -> None:
        answering(rig, reply)
        await rig.ask("/a")
        before = rig.cache.stats()["bytes"]
        encoded = await ask_times(rig, 3, headers=GZIP)
        grown = rig.cache.stats()["bytes"] - before
        assert len(encoded.body) < grown < len(encoded.body) + 3_000
        rig.hook.commit("invoices")
        assert rig.cache.stats()["bytes"] == 0

    async def test_what_was_negotiated_is_remembered_within_bounds(self, rig: Any, reply: Any) -> None:
        answering(rig, reply)
        await rig.ask("/a")
        for number in range(module.REMEMBERED_FIELDS + 10):
            await rig.ask("/a", headers=[("Accept-Encoding", f"x-{number}")])
        await rig.ask("/a", headers=[("Accept-Encoding", "gzip, " + "x" * 1_000)])
        assert len(rig.door.encodings._acceptable) == 10
