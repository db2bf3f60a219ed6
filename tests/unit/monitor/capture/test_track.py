"""Naming a piece of work."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from steinmetz.monitor.capture.track import STATEMENTS_KEPT, Span, Track, current_span
from steinmetz.sql import StatementFacts, Verb

FACTS = StatementFacts("0" * 16, "SELECT ?", Verb.SELECT, frozenset(), frozenset())


@dataclass
class Sampler:
    enabled: bool = True
    ends: list[tuple[str, int, bool, bool]] = field(default_factory=list)

    def ended(self, span: Span, ended_ns: int, error: BaseException | None, *, awaited: bool) -> None:
        assert ended_ns >= span.started_ns
        self.ends.append((span.name, span.count, error is not None, awaited))


@pytest.fixture
def sampler() -> Sampler:
    return Sampler()


@pytest.fixture(autouse=True)
def no_span_is_left_behind() -> Iterator[None]:
    yield
    assert current_span.get() is None


def test_a_context_manager_takes_one_sample(sampler: Sampler) -> None:
    with Track("load", sampler):
        span = current_span.get()
        assert span is not None
        span.saw(FACTS, 1_000)
    assert sampler.ends == [("load", 1, False, False)]


def test_an_error_is_a_sample_and_goes_on(sampler: Sampler) -> None:
    with pytest.raises(KeyError), Track("load", sampler):
        raise KeyError("x")
    assert sampler.ends == [("load", 0, True, False)]


def test_a_decorated_function_takes_a_sample_each_call(sampler: Sampler) -> None:
    @Track("double", sampler)
    def double(number: int) -> int:
        """Twice."""
        return 2 * number

    assert [double(1), double(2)] == [2, 4]
    assert double.__doc__ == "Twice."
    assert len(sampler.ends) == 2


def test_a_callable_is_run_at_once(sampler: Sampler) -> None:
    assert Track("add", sampler).run(lambda: 1 + 1) == 2
    assert sampler.ends == [("add", 0, False, False)]


def test_a_generator_is_refused(sampler: Sampler) -> None:
    with pytest.raises(TypeError, match="cannot time a generator"):

        @Track("rows", sampler)
        def rows() -> Iterator[int]:
            yield 1


def test_a_track_ends_once(sampler: Sampler) -> None:
    track = Track("load", sampler)
    with pytest.raises(RuntimeError, match="left before it was entered"):
        track.__exit__(None, None, None)


@pytest.mark.anyio
async def test_coroutine_functions_stay_coroutine_functions(sampler: Sampler) -> None:
    @Track("fetch", sampler)
    async def fetch(number: int) -> int:
        await asyncio.sleep(0)
        return number

    assert inspect.iscoroutinefunction(fetch)
    assert await asyncio.gather(fetch(1), fetch(2)) == [1, 2]
    assert sampler.ends == [("fetch", 0, False, True)] * 2


@pytest.mark.anyio
async def test_a_callable_that_returns_an_awaitable_is_timed_to_its_end(sampler: Sampler) -> None:
    async def fetch() -> int:
        span = current_span.get()
        assert span is not None
        span.saw(FACTS, 1_000)
        return 7

    for function in (fetch, lambda: fetch()):
        running = Track("fetch", sampler).run(function)
        assert current_span.get() is None
        assert await running == 7
    assert sampler.ends == [("fetch", 1, False, True)] * 2


@pytest.mark.anyio
async def test_tasks_started_inside_belong_to_it(sampler: Sampler) -> None:
    async def work() -> None:
        span = current_span.get()
        assert span is not None
        span.saw(FACTS, 1_000)

    async with Track("batch", sampler):
        await asyncio.gather(work(), work())
    assert sampler.ends == [("batch", 2, False, True)]


def test_spans_count_for_those_around_them(sampler: Sampler) -> None:
    with Track("outer", sampler), Track("inner", sampler):
        span = current_span.get()
        assert span is not None
        span.saw(FACTS, 1_000)
    assert sampler.ends == [("inner", 1, False, False), ("outer", 1, False, False)]


def test_a_span_remembers_a_bounded_number_of_statements() -> None:
    span = Span("loop", None, is_sample=True)
    for _ in range(STATEMENTS_KEPT + 10):
        span.saw(FACTS, 1_000)
    assert span.count == STATEMENTS_KEPT + 10
    assert len(span.statements) == STATEMENTS_KEPT


def test_within_a_sample_nothing_makes_a_sample_of_its_own() -> None:
    outer = Span("outer", None, is_sample=True)
    assert Span("budget", outer, is_sample=False).is_sample
    assert not Span("budget", None, is_sample=False).is_sample


def test_a_disabled_sampler_costs_decorated_functions_nothing() -> None:
    off = Sampler(enabled=False)

    @Track("load", off)
    def load() -> Span | None:
        return current_span.get()

    assert load() is None
    assert off.ends == []


def test_time_of_rows_that_are_fetched_later_is_added_to_their_statement() -> None:
    span = Span("outer", None, is_sample=False)
    span.saw(FACTS, 1_000)
    span.saw(StatementFacts("1" * 16, "SELECT b", Verb.SELECT, frozenset(), frozenset()), 10)
    span.fetched(FACTS, 500)
    assert span.statements == [("SELECT ?", 1_500), ("SELECT b", 10)]
    assert span.count == 2
