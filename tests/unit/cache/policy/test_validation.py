"""Asking whether a stored answer still holds, and what a 304 changes (RFC 9111, 4.3)."""

from __future__ import annotations

import pytest

from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.http_date import http_date
from steinmetz.cache.policy.terms import Terms
from steinmetz.cache.policy.validation import (
    MAX_OFFERED,
    HeadSays,
    merged,
    told_by_head,
    updated_by,
    validating,
    without_conditions,
)
from steinmetz.sql.effects import ReadSet

NOW_S = 1_767_225_600.0
DATE, MODIFIED = (b"date", http_date(NOW_S)), (b"last-modified", http_date(NOW_S - 1_000))


def kept(*headers: tuple[bytes, bytes], body: bytes = b"one") -> Entry:
    return Entry(
        key=b"k",
        path="/a",
        route="",
        headers=headers,
        body=body,
        read_set=ReadSet(),
        sequence=0,
        stored_at_s=0,
        terms=Terms(60),
        as_is=True,
    )


def tagged(tag: bytes) -> Entry:
    return kept((b"etag", tag))


def test_our_tag_and_date_go_along_in_place_of_the_clients_conditions() -> None:
    asked = [(b"host", b"a"), (b"if-modified-since", b"x"), (b"range", b"bytes=0-1"), (b"if-range", b'"0"')]
    assert validating(asked, kept((b"etag", b'"1"'), MODIFIED), []) == [
        (b"host", b"a"),
        (b"if-none-match", b'"1"'),
        (b"if-modified-since", MODIFIED[1]),
    ]


def test_the_clients_own_tags_are_asked_beside_ours_but_never_a_star() -> None:
    for own, offered in ((b'"2"', b'"1", "2"'), (b'"1"', b'"1"'), (b"*", b'"1"')):
        assert validating([(b"if-none-match", own)], tagged(b'"1"'), []) == [(b"if-none-match", offered)]


def test_where_none_is_selected_the_tags_of_the_others_are_offered_up_to_a_limit() -> None:
    others = [tagged(b'"%d"' % number) for number in range(MAX_OFFERED + 1)]
    asked = validating([], None, others)
    assert asked is not None
    assert asked[0][1].count(b",") == MAX_OFFERED - 1


def test_without_validators_there_is_nothing_to_ask_by() -> None:
    assert validating([], kept(), []) is None
    assert validating([], None, [kept(MODIFIED)]) is None


def test_the_request_for_the_whole_has_neither_conditions_nor_ranges() -> None:
    asked = [(b"If-None-Match", b"x"), (b"if-modified-since", b"x"), (b"range", b"x"), (b"if-range", b"x"), DATE]
    assert without_conditions(asked) == [DATE]


ONE, TWO, WEAK = tagged(b'"1"'), tagged(b'"2"'), tagged(b'W/"1"')
DATED = kept(MODIFIED, DATE)


@pytest.mark.parametrize(
    ("candidates", "said", "told"),
    [
        ([ONE, TWO], [(b"etag", b'"2"')], TWO),
        ([ONE, TWO], [(b"etag", b'"3"')], None),
        ([ONE], [(b"etag", b'"3"')], None),
        ([ONE, WEAK], [(b"etag", b'W/"1"')], ONE),
        ([WEAK], [(b"etag", b'"1"')], None),
        ([DATED], [MODIFIED, DATE], DATED),
        ([DATED], [MODIFIED], DATED),
        ([DATED], [(b"last-modified", DATE[1])], None),
        ([ONE], [], ONE),
        ([ONE, TWO], [], None),
        ([], [], None),
    ],
)
def test_a_304_speaks_of(candidates: list[Entry], said: list[tuple[bytes, bytes]], told: Entry | None) -> None:
    assert updated_by(candidates, said, NOW_S) is told


def test_new_fields_take_the_place_of_all_old_lines_and_the_rest_stays() -> None:
    stored = [(b"a", b"1"), (b"a", b"2"), (b"b", b"3"), (b"content-length", b"3")]
    new = [
        (b"A", b"9"),
        (b"content-length", b"0"),
        (b"content-encoding", b"x"),
        (b"set-cookie", b"x"),
        (b"c", b"4"),
    ]
    assert merged(stored, new) == ((b"b", b"3"), (b"content-length", b"3"), (b"a", b"9"), (b"c", b"4"))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([], HeadSays.NOTHING),
        ([(b"content-length", b"3")], HeadSays.NOTHING),
        ([(b"content-length", b"4")], HeadSays.OTHER),
        ([(b"etag", b'"1"'), MODIFIED], HeadSays.SAME),
        ([(b"etag", b'"1"'), (b"content-length", b"4")], HeadSays.OTHER),
        ([MODIFIED, (b"content-length", b"3")], HeadSays.SAME),
        ([(b"etag", b'"2"')], HeadSays.OTHER),
        ([(b"etag", b'"1"'), (b"last-modified", DATE[1])], HeadSays.OTHER),
    ],
)
def test_the_answer_to_a_head_tells_of_what_is_kept(said: list[tuple[bytes, bytes]], told: HeadSays) -> None:
    assert told_by_head(kept((b"etag", b'"1"'), MODIFIED), said) is told
