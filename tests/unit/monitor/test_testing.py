"""The fixtures, used by a test suite as its users would."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

SUITE = """
    import pytest
    from sqlalchemy import create_engine, text
    from steinmetz.monitor import QueryMonitor
    from steinmetz.monitor.testing import budgets_kept, query_budget
    from steinmetz.sql import ScopeKind, hook, open_scope

    engine = create_engine("sqlite://")
    monitor = QueryMonitor()
    monitor.configure(strict=True, budgets={"GET /a": 1})
    monitor.attach(hook(engine))

    def ask(times):
        with engine.connect() as connection:
            for _ in range(times):
                connection.execute(text("SELECT 1"))

    def test_within(query_budget):
        assert query_budget(max=2).count == 0
        ask(2)

    def test_over(query_budget):
        query_budget(max=1)
        ask(2)

    @pytest.mark.anyio
    async def test_over_in_a_coroutine(query_budget):
        query_budget(max=1)
        ask(3)

    def test_route_within(budgets_kept):
        with open_scope(ScopeKind.REQUEST, "GET /a"):
            ask(1)

    def test_route_over(budgets_kept):
        with open_scope(ScopeKind.REQUEST, "GET /a"):
            ask(2)
"""


def test_budgets_fail_the_tests_that_break_them(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(textwrap.dedent(SUITE))
    root = Path(__file__).parents[3]
    result = pytester.runpytest_inprocess(
        "-p", "no:cacheprovider", "-p", "anyio", f"--rootdir={root}", "-k", "not trio"
    )
    result.assert_outcomes(passed=5, errors=3)
    result.stdout.fnmatch_lines_random(
        [
            "*OverBudget: 2 queries where at most 1 are allowed:*",
            "*OverBudget: GET /a: 2 statements where at most 1*",
        ]
    )


def test_without_a_monitor_there_is_nothing_to_count(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        import pytest
        from steinmetz.monitor.testing import query_budget

        def test_it(query_budget, monkeypatch):
            monkeypatch.setattr(sys.modules["steinmetz.monitor.testing"], "attached", {})
            with pytest.raises(RuntimeError, match="attach one"):
                query_budget(max=1)
        """
    )
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
