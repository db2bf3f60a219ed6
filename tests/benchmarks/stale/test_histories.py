"""The checker against histories that are right by construction, and against each fault sown into them."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.stale.histories import (
    LINEARIZABLE,
    SESSION,
    Fault,
    Level,
    Read,
    Verdict,
    Write,
    bounded,
    judge,
    lost,
)

CLIENTS, OPERATIONS = 4, 60


def written(number: int, sent_s: float, answered_s: float, *, client: int = 9) -> Write:
    return Write("row", number, frozenset({f"t{number}"}), client, sent_s, answered_s)


def shown(number: int, sent_s: float, answered_s: float, *, client: int = 1) -> Read:
    return Read("row", f"t{number}", client, sent_s, answered_s)


BEFORE_ALL = written(0, -2, -1)


def faults(*events: Write | Read, level: Level = LINEARIZABLE) -> list[Fault]:
    return [violation.fault for violation in verdict(*events, level=level).violations]


def verdict(*events: Write | Read, level: Level = LINEARIZABLE) -> Verdict:
    writes = [event for event in (BEFORE_ALL, *events) if isinstance(event, Write)]
    return judge(writes, [event for event in events if isinstance(event, Read)], level)


def history(seed: int) -> tuple[list[Write], list[Read]]:
    """One row under a real order: each operation takes effect at one instant between sending and answer."""
    random = Random(seed)
    writes, reads, value = [BEFORE_ALL], list[Read](), 0
    free_s = [0.0] * CLIENTS
    instants = sorted((random.random() * 100, random.randrange(CLIENTS)) for _ in range(OPERATIONS))
    for effect_s, client in instants:
        sent_s = max(free_s[client], effect_s - random.random() * 5)
        if sent_s > effect_s:
            continue
        answered_s = free_s[client] = effect_s + random.random() * 5
        if random.random() < 0.3:
            value += 1
            writes.append(written(value, sent_s, inf if random.random() < 0.1 else answered_s, client=client))
        else:
            reads.append(shown(value, sent_s, answered_s, client=client))
    return writes, reads


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.integers(0, 10**9))
def test_a_history_with_a_real_order_is_right_at_every_level(seed: int) -> None:
    writes, reads = history(seed)
    for level in (LINEARIZABLE, SESSION, bounded(100)):
        assert judge(writes, reads, level).violations == []


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.integers(0, 10**9))
def test_a_read_set_back_before_an_acknowledged_write_is_found(seed: int) -> None:
    writes, reads = history(seed)
    for index, read in enumerate(reads):
        known = [write.number for write in writes if write.answered_s < read.sent_s]
        if max(known) > 0:
            older = replace(read, sight=f"t{max(known) - 1}")
            found = judge(writes, [*reads[:index], older, *reads[index + 1 :]])
            assert Fault.STALE in {violation.fault for violation in found.violations}


def test_stale_after_the_acknowledgement_and_not_before() -> None:
    assert faults(written(1, 0, 1), shown(0, 1.5, 2)) == [Fault.STALE]
    assert faults(written(1, 0, 1), shown(0, 0.5, 2)) == []
    assert verdict(written(1, 0, 1), shown(0, 4, 5)).longest_s == 3


def test_new_then_old_before_any_acknowledgement() -> None:
    write = written(1, 0, 10)
    assert faults(write, shown(1, 1, 2), shown(0, 3, 4, client=2)) == [Fault.BACKWARDS]
    assert faults(write, shown(1, 1, 3.5), shown(0, 3, 4, client=2)) == [], "they overlap"


def test_a_write_that_nobody_was_told_of_may_be_shown_or_not_but_not_taken_back() -> None:
    write = written(1, 0, inf)
    assert faults(write, shown(0, 5, 6), shown(1, 7, 8)) == []
    assert faults(write, shown(1, 5, 6), shown(0, 7, 8)) == [Fault.BACKWARDS]


def test_what_was_rolled_back_and_what_comes_too_early() -> None:
    assert faults(Read("row", "never", 1, 1, 2)) == [Fault.PHANTOM]
    assert faults(written(1, 5, 6), shown(1, 1, 2)) == [Fault.FUTURE]


def test_a_session_is_bound_by_its_own_operations_only() -> None:
    write = written(1, 0, 1, client=1)
    assert faults(write, shown(0, 2, 3, client=1), level=SESSION) == [Fault.OWN_WRITE]
    assert faults(write, shown(0, 2, 3, client=2), level=SESSION) == []
    assert faults(write, shown(1, 2, 3, client=2), shown(0, 4, 5, client=2), level=SESSION) == [Fault.OWN_READ]


def test_a_bound_forgives_what_is_younger() -> None:
    assert faults(written(1, 0, 1), shown(0, 1.05, 2), level=bounded(100)) == []
    assert faults(written(1, 0, 1), shown(0, 1.15, 2), level=bounded(100)) == [Fault.STALE]


def test_a_sight_that_fits_several_states_is_judged_kindly() -> None:
    """A row that is not in a list may be in any state outside it."""
    states = [
        Write("row", number, frozenset({f"t{number}", *absent}), 9, number, number + 0.5)
        for number, absent in enumerate([("not in b",), ("not in a",), ("not in b",)])
    ]
    assert judge(states, [Read("row", "not in b", 1, 3, 4)]).violations == []
    assert judge(states, [Read("row", "not in a", 1, 3, 4)]).violations[0].fault is Fault.STALE
    backwards = [Read("row", "t2", 1, 3, 4), Read("row", "not in a", 2, 5, 6)]
    assert judge(states, backwards).count(Fault.STALE, Fault.BACKWARDS) == 1


def test_registers_are_judged_apart() -> None:
    other = replace(written(1, 0, 1), register="other")
    assert faults(other, shown(0, 5, 6)) == []


def test_an_acknowledged_write_that_is_not_there_is_lost() -> None:
    told, untold = written(1, 0, 1), written(2, 0, inf)
    assert [violation.fault for violation in lost([told, untold], {"t0"}, 9)] == [Fault.LOST]
    assert lost([told, untold], {"t0", "t1"}, 9) == []


@pytest.mark.parametrize("seed", range(3))
def test_the_order_in_which_events_are_told_does_not_matter(seed: int) -> None:
    writes, reads = history(seed)
    reads = [*reads, shown(0, 200, 201)]
    expected = judge(writes, reads).violations
    Random(seed).shuffle(writes)
    Random(seed).shuffle(reads)
    assert judge(writes, reads).violations == expected
