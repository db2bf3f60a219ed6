"""For tests of applications that watch their queries: budgets as pytest fixtures.

Import what is wanted into a ``conftest.py``::

    from steinmetz.monitor.testing import query_budget

    async def test_the_list_needs_three_queries(client, query_budget):
        query_budget(max=3)
        await client.get("/api/invoices")
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from steinmetz.monitor.budget import CountedSpan, OverBudget, attached
from steinmetz.monitor.capture.track import current_span

QueryBudget = Callable[..., CountedSpan]


@pytest.fixture
def query_budget() -> Iterator[QueryBudget]:
    """``query_budget(max=3)``: from here to its end, the test may need so many statements.

    The test fails in its teardown with what ran where. Raises `RuntimeError` if no monitor is attached.
    """
    set_budgets: list[tuple[CountedSpan, int, Callable[[], None]]] = []

    def begin(max: int) -> CountedSpan:  # noqa: A002  as `assert_queries`
        if not attached:
            raise RuntimeError("query_budget counts what a QueryMonitor sees: attach one to the engine first")
        span = CountedSpan("query_budget")
        token = current_span.set(span)
        set_budgets.append((span, max, lambda: current_span.reset(token)))
        return span

    yield begin
    for _, _, reset in reversed(set_budgets):
        with contextlib.suppress(ValueError):  # an asynchronous test had a context of its own, which is gone
            reset()
    for span, allowed, _ in set_budgets:
        if span.count > allowed:
            raise OverBudget(span.told(allowed))


@pytest.fixture
def budgets_kept() -> Iterator[None]:
    """Fail a test in which a route went over the budget that the monitor is configured with."""
    for monitor in set(attached.values()):
        monitor.patterns.exceedings.clear()
    yield
    exceeded = [line for monitor in set(attached.values()) for line in monitor.patterns.exceedings]
    if exceeded:
        raise OverBudget("\n".join(exceeded))
