from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.cache.invalidation.strangers import Versions, written
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import Relation

ANYTHING = WriteSet(unknown=frozenset({"main"}))


def test_a_version_that_stands_still_says_nothing() -> None:
    versions = Versions(3)
    assert [versions.look(version) for version in (3, 3, 4, 4)] == [False, False, True, False]


def test_what_moves_within_the_frame_of_our_own_commit_is_ours() -> None:
    versions = Versions(1)
    assert not versions.before(1)
    assert not versions.after(2, alone=True)
    assert not versions.look(2)


def test_a_stranger_before_our_commit_is_noticed_by_our_commit() -> None:
    versions = Versions(1)
    assert versions.before(2)
    assert not versions.after(3, alone=True)


def test_a_stranger_right_after_our_commit_is_a_doubt() -> None:
    """One move of the version may be two commits: our own connection tells that it was not alone."""
    versions = Versions(1)
    assert not versions.before(1)
    assert versions.after(2, alone=False)


def test_a_version_that_cannot_be_asked_is_a_doubt() -> None:
    versions = Versions(1)
    assert versions.look(None)
    assert versions.look(1)
    assert versions.after(None, alone=True)


def test_while_a_neighbour_commits_what_moves_may_be_his() -> None:
    versions = Versions(1)
    assert not versions.neighbour_marked(1)
    assert not versions.look(2)
    versions.neighbour_ended(2)
    assert not versions.look(2)
    assert versions.neighbour_marked(3), "a stranger before the neighbour's mark"
    versions.neighbour_ended(4)
    assert not versions.look(4)


class World:
    """A database with one pen, and its version as an onlooker's connection sees it."""

    def __init__(self) -> None:
        self.commits = 0
        self.seen = 0
        self.version = 0

    def ask(self) -> int:
        if self.seen != self.commits:
            self.seen, self.version = self.commits, self.version + 1
        return self.version


@given(
    st.lists(
        st.sampled_from(["look", "stranger", "ours", "ours, of nothing", "ours, then a stranger"]), max_size=12
    )
)
@settings(derandomize=True, max_examples=200, deadline=None)
def test_h17_no_commit_of_a_stranger_is_missed_and_no_commit_of_ours_taken_for_one(steps: list[str]) -> None:
    world, stranger_wrote = World(), False
    versions = Versions(world.ask())
    for step in [*steps, "look"]:
        if step == "stranger":
            world.commits += 1
            stranger_wrote = True
            continue
        found = False
        if step == "look":
            found = versions.look(world.ask())
        else:
            found = versions.before(world.ask())
            assert found == stranger_wrote
            stranger_wrote = False
            world.commits += step != "ours, of nothing"
            followed = step == "ours, then a stranger"
            world.commits += followed
            found = versions.after(world.ask(), alone=not followed)
            stranger_wrote = followed
        assert found == stranger_wrote
        stranger_wrote = False


@pytest.mark.parametrize(
    ("payload", "writes"),
    [
        ('["public", "invoices"]', WriteSet(frozenset({Relation("main", "invoices")}))),
        ('["billing", "a.b"]', WriteSet(frozenset({Relation("main", "billing.a.b")}))),
        ("[]", ANYTHING),
        ("", ANYTHING),
        ('["public"]', ANYTHING),
        ('["public", 7]', ANYTHING),
        ('{"public": "invoices"}', ANYTHING),
    ],
)
def test_what_a_notification_tells(payload: str, writes: WriteSet) -> None:
    assert written(payload, "main") == writes


def test_the_connections_own_schema_goes_without_saying() -> None:
    told = written('["erp", "invoices"]', "main", default_schema="erp")
    assert told == WriteSet(frozenset({Relation("main", "invoices")}))
