from __future__ import annotations

from typing import Any

import pytest

from steinmetz.cache import cached
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.terms import Terms
from steinmetz.cache.warming.wanted import MAX_TEXT_CHARS, MAX_WANTED, NotAList, Wanted, from_text, to_text, wanted
from steinmetz.sql.effects import ReadSet


def an_entry(key: bytes, *, hits: int = 1, cost_ms: int = 10, variant: bytes = b"", **more: Any) -> Entry:
    entry = Entry(
        key=key,
        path="/" + key.partition(b"/")[2].partition(b"?")[0].partition(b"#")[0].decode(),
        route="/r",
        headers=(),
        body=b"x",
        read_set=ReadSet(),
        sequence=0,
        stored_at_s=0,
        terms=Terms(60),
        cost_ns=cost_ms * 1_000_000,
        variant=variant,
        **more,
    )
    entry.hits = hits
    return entry


def test_hits_times_cost_is_what_an_answer_is_worth() -> None:
    cheap = an_entry(b"cache:v:/cheap", hits=100, cost_ms=1)
    dear = an_entry(b"cache:v:/dear", hits=3, cost_ms=100)
    unused = an_entry(b"cache:v:/unused", hits=0, cost_ms=1_000)
    assert [(one.path, round(one.worth, 6)) for one in wanted([cheap, dear, unused])] == [
        ("/dear", 0.3),
        ("/cheap", 0.1),
    ]


def test_query_role_and_selecting_headers_are_found_again() -> None:
    entry = an_entry(
        b"cache:v:/a/b?limit=5&q=%C3%A4#role=manager",
        variant=b"role=manager",
        vary=((b"accept-language", b"de"), (b"origin", None)),
    )
    (one,) = wanted([entry])
    assert (one.path, one.query, one.role) == ("/a/b", "limit=5&q=%C3%A4", "manager")
    assert one.headers == (("accept-language", "de"),)


def test_private_answers_own_keys_and_errors_are_not_wanted() -> None:
    assert (
        wanted(
            [
                an_entry(b"cache:v:/a#user=7;role=clerk", variant=b"user=7;role=clerk"),
                an_entry(b"cache:v:/a?!own"),
                an_entry(b"cache:v:/gone", status=404),
            ]
        )
        == []
    )


def test_the_list_is_bounded() -> None:
    assert len(wanted(an_entry(b"cache:v:/%d" % number) for number in range(MAX_WANTED + 5))) == MAX_WANTED


def test_a_list_survives_its_file() -> None:
    several = [Wanted("/ä", "q=1", "clerk", (("accept-language", "de"),), 0.5), Wanted("/b", "", None, (), 0.1)]
    assert from_text(to_text(several)) == several


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"format": 2, "wanted": []}',
        '{"format": 1, "wanted": 5}',
        '{"format": 1, "wanted": [{"path": "http://x/", "query": "", "role": null, "headers": [], "worth": 1}]}',
        '{"format": 1, "wanted": [{"path": "/", "query": "ä", "role": null, "headers": [], "worth": 1}]}',
        '{"format": 1, "wanted": [{"path": "/", "query": "", "role": 5, "headers": [], "worth": 1}]}',
        '{"format": 1, "wanted": [{"path": "/", "query": "", "role": null, "headers": [["a", 1]], "worth": 1}]}',
        '{"format": 1, "wanted": [{"path": "/"}]}',
        " " * (MAX_TEXT_CHARS + 1),
    ],
)
def test_anything_else_is_no_list(text: str) -> None:
    with pytest.raises(NotAList):
        from_text(text)


@pytest.mark.anyio
async def test_what_the_cache_holds_is_what_it_wants_again(rig: Any, reply: Any) -> None:
    @cached(vary_on="role")
    async def by_role(scope: Any, receive: Any, send: Any) -> None:
        await reply(send, b"x")

    rig.app.add("/a", by_role)
    for _ in range(2):
        await rig.ask("/a?b=2&a=1", user="anna")
    assert [(one.path, one.query, one.role) for one in rig.cache.wanted()] == [("/a", "a=1&b=2", "clerk")]


@pytest.mark.anyio
async def test_what_was_dropped_since_is_wanted_for_what_its_hits_were_worth(rig: Any, reply: Any) -> None:
    @cached(public=True)
    async def hot(scope: Any, receive: Any, send: Any) -> None:
        rig.hook.read("invoices")
        await reply(send, b"x")

    rig.app.add("/hot", hot)
    for _ in range(2):
        await rig.ask("/hot")
        await rig.ask("/hot")
        rig.hook.commit("invoices")
    (one,) = rig.cache.wanted()
    assert (one.path, one.worth > 0) == ("/hot", True)
    assert len(rig.cache._statistics.worth_gone) == 1
