from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from steinmetz.cache import valid_until
from steinmetz.cache.invalidation.reads import current_recording, record
from steinmetz.cache.testing import FakeHook
from steinmetz.sql.facts import Relation
from steinmetz.sql.scope import ScopeKind

HOOK = FakeHook(observer=None)  # type: ignore[arg-type]  only its reads are used
TAG = Relation("(tag)", "catalog")


def tables(relations: frozenset[Relation]) -> set[str]:
    return {relation.name for relation in relations}


def test_what_is_read_within_counts_and_its_tags_too() -> None:
    with record(ScopeKind.REQUEST, "GET /a", 7, frozenset({TAG})) as recording:
        HOOK.read("invoices")
    assert tables(recording.read_set().relations) == {"invoices", "catalog"}
    assert recording.sequence == 7


def test_after_the_last_byte_it_stands_still() -> None:
    with record(ScopeKind.REQUEST, "GET /a", 0) as recording:
        HOOK.read("invoices")
        recording.close()
        HOOK.read("nodes")
    assert tables(recording.read_set().relations) == {"invoices"}


def test_an_inner_recording_keeps_its_reads_to_itself() -> None:
    with record(ScopeKind.REQUEST, "outer", 0) as outer:
        with record(ScopeKind.ADMISSION, "inner", 0) as inner:
            HOOK.read("sessions")
        assert current_recording() is outer
        HOOK.read("invoices")
    assert tables(outer.read_set().relations) == {"invoices"}
    assert tables(inner.read_set().relations) == {"sessions"}
    assert current_recording() is None


@pytest.mark.anyio
async def test_reads_in_tasks_and_threads_are_its_own() -> None:
    async def in_task() -> None:
        HOOK.read("nodes")

    with record(ScopeKind.REQUEST, "GET /a", 0) as recording:
        await asyncio.to_thread(HOOK.read, "invoices")
        await asyncio.create_task(in_task())
    assert tables(recording.read_set().relations) == {"invoices", "nodes"}


class TestValidUntil:
    def test_the_earliest_counts(self) -> None:
        with record(ScopeKind.REQUEST, "GET /a", 0) as recording:
            for day in (5, 3, 4):
                valid_until(datetime(2026, 3, day, tzinfo=UTC))
        assert recording.valid_until == datetime(2026, 3, 3, tzinfo=UTC)

    def test_without_a_time_zone_it_is_refused(self) -> None:
        with pytest.raises(ValueError, match="time zone"):
            valid_until(datetime(2026, 3, 3))  # noqa: DTZ001  that is the point

    def test_outside_a_request_it_does_nothing(self) -> None:
        valid_until(datetime(2026, 3, 3, tzinfo=UTC))
        assert current_recording() is None
