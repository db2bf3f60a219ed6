from __future__ import annotations

from typing import Any

from steinmetz.cache.invalidation.writes import REMEMBERED
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.scope import ScopeKind, open_scope


def writes(*tables: str) -> WriteSet:
    return WriteSet(frozenset(Relation("main", table) for table in tables))


def test_listeners_hear_after_the_drop_and_never_of_a_rollback(rig: Any) -> None:
    heard: list[Any] = []
    rig.cache.on_bumped(lambda written: heard.append((written, rig.cache._coherence.epochs.sequence)))
    rig.hook.commit("invoices")
    transaction = rig.hook.transaction()
    transaction.write("nodes")
    transaction.mark()
    transaction.unmark()
    assert heard == [(writes("invoices"), 1)]
    stats = rig.cache.stats()
    assert (stats["commits"], stats["rollbacks"]) == (1, 1)


def test_a_listener_that_fails_harms_neither_the_writer_nor_the_next(rig: Any) -> None:
    heard: list[Any] = []

    def broken(written: WriteSet) -> None:
        raise RuntimeError("deaf")

    rig.cache.on_bumped(broken)
    rig.cache.on_bumped(heard.append)
    rig.hook.commit("invoices")
    assert heard == [writes("invoices")]


def test_every_invalidation_names_its_cause(rig: Any) -> None:
    with open_scope(ScopeKind.JOB, "nightly dunning"):
        rig.hook.commit("invoices", "payments")
    rig.cache.invalidate("/api/functions")
    rig.cache.invalidate_tags("catalog")
    rig.cache.invalidate_relations(WriteSet(unknown=frozenset({"main"})))
    rig.cache.clear()
    assert [(each["cause"], each["relations"]) for each in reversed(rig.cache.invalidations())] == [
        ("nightly dunning", ["main:invoices", "main:payments"]),
        ("outside any request", ["/api/functions"]),
        ("outside any request", ["(tag):catalog"]),
        ("outside any request", ["main:*"]),
        ("outside any request", ["everything"]),
    ]


def test_what_is_remembered_is_bounded(rig: Any) -> None:
    for _ in range(REMEMBERED + 50):
        rig.hook.commit("invoices")
    assert len(rig.cache.invalidations(limit=10_000)) == REMEMBERED
    assert rig.cache.invalidations(limit=3)[0]["at"].endswith("Z")
    assert len(rig.cache.invalidations(limit=3)) == 3


def test_a_lost_commit_is_told_at_once_and_stays_in_doubt_until_its_lease_ends(rig: Any) -> None:
    """Its connection has died; the server may still be at it."""
    heard: list[Any] = []
    rig.cache.on_bumped(heard.append)
    observer, epochs = rig.cache._observer, rig.cache._coherence.epochs
    observer.lost(observer.mark(writes("invoices")))
    assert heard == [writes("invoices")]
    assert [mark.writes for mark in epochs.marks] == [writes("invoices")]
    rig.clock.advance(rig.cache.config.mark_lease_s)
    sequence = epochs.sequence
    assert rig.cache._coherence.moment().pending == ()
    assert epochs.sequence == sequence + 1, "its end counts as a bump"
