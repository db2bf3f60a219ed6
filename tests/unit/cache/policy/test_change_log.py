"""What a node may believe of the log; H15, H20 and H21 are numbers of the hazard list."""

from __future__ import annotations

import pytest

from steinmetz.cache.policy.change_log import CONTACT_S, HOLD_S, TIMEOUT_S, Following, LogEntry, Op, Position
from steinmetz.cache.policy.consistency import SESSION, STRONG, UNTOLD, Bounded, Token
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation

A, B = (frozenset({Relation("main", name)}) for name in "ab")
BOOT = b"boot"


def at(number: int, tip: bytes | None = None, boot: bytes = BOOT) -> Position:
    return Position(boot, number, b"t%d" % number if tip is None else tip)


def entry(number: int, op: Op, writes: frozenset[Relation] = A, *, before: bytes | None = None) -> LogEntry:
    return LogEntry(
        number,
        b"t%d" % (number - 1) if before is None else before,
        b"t%d" % number,
        op,
        "other",
        7,
        WriteSet(writes),
    )


@pytest.fixture
def following() -> Following:
    following = Following(ring=3)
    following.reset(at(10), 100.0)
    return following


def take(following: Following, *entries: LogEntry) -> None:
    for each in entries:
        assert following.takes(each)
        following.took(each)


def test_nothing_is_believed_before_the_first_answer() -> None:
    following = Following()
    assert following.must_reset(at(10), 0.0)
    assert following.takes(entry(11, Op.BUMP)) is None
    assert not following.stands(SESSION, (), 0.0)
    assert not following.confirm(at(10), 0.0)


def test_the_next_entry_is_the_one_that_names_the_tip_we_know(following: Following) -> None:
    assert following.takes(entry(10, Op.BUMP)) is False  # known already
    assert following.takes(entry(12, Op.BUMP)) is None  # 11 is missing
    assert following.takes(entry(12, Op.BUMP, before=b"t10"))  # numbers may have gaps, the chain has none
    take(following, entry(11, Op.BUMP))
    assert following.position == at(11)


@pytest.mark.parametrize(
    ("position", "why"),
    [
        (at(11, boot=b"other"), "Redis was emptied"),
        (at(9), "it went back"),
        (at(10, b"other"), "a replica took over in which the last entry is another one"),
    ],
)
def test_h15_h20_what_cannot_be_followed_is_forgotten(following: Following, position: Position, why: str) -> None:
    assert following.must_reset(position, 100.1), why


def test_h15_who_has_heard_nothing_for_too_long_forgets(following: Following) -> None:
    assert not following.must_reset(at(10), 100.0 + CONTACT_S)
    assert following.must_reset(at(10), 100.01 + CONTACT_S)


def test_a_write_that_nobody_was_told_of_is_held_longer_than_anybody_trusts() -> None:
    assert HOLD_S >= CONTACT_S + TIMEOUT_S


def test_a_confirmation_counts_from_when_it_was_asked_for(following: Following) -> None:
    assert following.confirm(at(10), 100.5)
    assert not following.confirm(at(11), 100.6)  # that far we have not come
    assert following.is_in_touch(100.5 + CONTACT_S)
    assert not following.is_in_touch(100.6 + CONTACT_S)
    assert following.confirm(at(10), 100.2)  # an older answer takes nothing back
    assert following.confirmed_s == 100.5


@pytest.mark.parametrize(
    ("consistency", "now_s", "stands"),
    [
        (STRONG, 100.0, False),
        (SESSION, 100.0, True),
        (SESSION, 100.0 + CONTACT_S, True),
        (SESSION, 100.01 + CONTACT_S, False),
        (Bounded(200), 100.19, True),
        (Bounded(200), 100.21, False),
        (Bounded(60_000), 100.01 + CONTACT_S, False),
    ],
)
def test_what_stands_without_asking(following: Following, consistency: object, now_s: float, stands: bool) -> None:
    assert following.stands(consistency, (), now_s) is stands  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("token", "at_once", "asked"),
    [
        (Token(BOOT, 9), True, True),
        (Token(BOOT, 10), True, True),
        (Token(BOOT, 11), False, False),
        (Token(b"earlier", 999), False, True),
        (UNTOLD, False, False),
    ],
)
def test_a_token_is_honoured(following: Following, token: Token, at_once: bool, asked: bool) -> None:
    assert following.has_reached((token,)) is at_once
    assert following.has_reached_asked((token,)) is asked
    assert following.stands(SESSION, (token,), 100.0) is at_once


def test_an_offer_is_believed_until_something_it_read_moves(following: Following) -> None:
    reads = ReadSet(A)
    assert following.is_unmoved_since(BOOT, 10, reads)
    take(following, entry(11, Op.MARK, B), entry(12, Op.BUMP, B))
    assert following.is_unmoved_since(BOOT, 10, reads)
    take(following, entry(13, Op.MOVE))
    assert not following.is_unmoved_since(BOOT, 10, reads)
    assert following.is_unmoved_since(BOOT, 13, reads)
    take(following, entry(14, Op.CLEAR, frozenset()))
    assert not following.is_unmoved_since(BOOT, 13, reads)


def test_an_offer_from_another_life_before_the_beginning_or_from_the_future_is_not_believed(
    following: Following,
) -> None:
    assert not following.is_unmoved_since(b"other", 10, ReadSet(A))
    assert not following.is_unmoved_since(BOOT, 9, ReadSet(A))
    assert not following.is_unmoved_since(BOOT, 11, ReadSet(A))


def test_h4_a_mark_that_nobody_takes_down_forbids_older_offers_for_ever(following: Following) -> None:
    take(following, entry(11, Op.MARK))
    assert not following.is_unmoved_since(BOOT, 10, ReadSet(A))
    assert following.is_unmoved_since(BOOT, 11, ReadSet(A))  # kept after its lease
    take(following, entry(12, Op.UNMARK, frozenset()))
    assert following.is_unmoved_since(BOOT, 10, ReadSet(A))


def test_what_the_ring_has_forgotten_is_not_believed(following: Following) -> None:
    take(following, *(entry(number, Op.MOVE, B) for number in range(11, 15)))
    assert not following.is_unmoved_since(BOOT, 10, ReadSet(A))
    assert following.is_unmoved_since(BOOT, 11, ReadSet(A))


def test_a_reset_forgets_what_was_believed(following: Following) -> None:
    take(following, entry(11, Op.MARK))
    following.lose()
    assert not following.stands(SESSION, (), 100.0)
    following.reset(at(20), 101.0)
    assert not following.is_unmoved_since(BOOT, 11, ReadSet(B))
    assert following.is_unmoved_since(BOOT, 20, ReadSet(A))
    assert following.resets == 2
