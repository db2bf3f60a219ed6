"""The advisor's cases: they mean the same on both engines, and trying all finds what theory says is best."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from benchmarks.advice.case import Case, cases
from benchmarks.advice.company import FilledTable, company
from benchmarks.advice.databases import Company, SqliteCompany, postgres_company
from benchmarks.advice.search import BRIEF, EXHAUSTIVE, Measure, best_set
from benchmarks.advisor import advised, outcome
from steinmetz.monitor.advisor.index import Index, IndexColumn
from steinmetz.monitor.dialects.base import Proof, WhatIf
from steinmetz.sql.facts import Verb

T = TypeVar("T")


def case(name: str) -> Case:
    return next(each for each in cases() if each.name == name)


@pytest.fixture(scope="module")
def tables() -> tuple[FilledTable, ...]:
    return company(0.5)


@pytest.fixture(scope="module")
def names(tables: tuple[FilledTable, ...]) -> list[str]:
    return [table.name for table in tables]


@pytest.fixture(scope="module")
def sqlite(tables: tuple[FilledTable, ...]) -> Company:
    return SqliteCompany(tables)


@pytest.fixture(scope="module")
def postgres(
    postgres_url: str, database_names: Iterator[str], tables: tuple[FilledTable, ...]
) -> Iterator[Company]:
    with postgres_company(postgres_url, next(database_names), tables, runs=1) as filled:
        yield filled


class TestTheCorpus:
    def test_it_is_large_and_says_why(self) -> None:
        assert len(cases()) >= 30
        assert len({each.name for each in cases()}) == len(cases())
        assert all(each.why and each.statements for each in cases())
        assert all(statement.parameters for each in cases() for statement in each.statements)

    def test_every_key_is_a_column_of_its_table(self, tables: tuple[FilledTable, ...]) -> None:
        columns = {table.name: set(table.columns) for table in tables}
        for each in cases():
            for engine in ("sqlite", "postgres"):
                for index in each.indexes(engine):
                    named = {re.sub(r"\w+\(|\)", "", column.name) for column in index.columns}
                    assert named <= columns[index.table], each.name

    def test_no_two_cases_ask_the_same(self) -> None:
        texts = [tuple(statement.sql for statement in each.statements) + each.setup for each in cases()]
        assert len(set(texts)) == len(texts)

    def test_the_data_is_the_same_every_time_and_skewed(self, tables: tuple[FilledTable, ...]) -> None:
        again = company(0.5)
        assert [table.rows for table in again] == [table.rows for table in tables]
        orders = next(table for table in tables if table.name == "orders")
        tenants = [row[orders.columns.index("tenant_id")] for row in orders.rows]
        assert tenants.count(1) > len(tenants) / 5
        assert max(tenants) <= 40  # the cases ask for tenants above, who have nothing
        assert any(row[orders.columns.index("due_on")] is None for row in orders.rows)

    def test_every_statement_finds_the_same_on_both_engines(
        self, sqlite: Company, postgres: Company, names: list[str]
    ) -> None:
        def found(company: Company, each: Case) -> list[list[int]]:
            workload = each.workload(company.engine, names)
            return company.ask(
                each,
                lambda what_if, proof: [
                    [proof.run(query.text_of(one), one.values).rows for one in query.parameter_sets]
                    for query in workload.queries
                ],
            )

        plain = [each for each in cases() if not each.setup]
        together = Case(
            "all", "one session for all", (), tuple(one for each in plain for one in each.statements), {}, {}
        )
        for each in (together, *(each for each in cases() if each.setup)):
            assert found(sqlite, each) == found(postgres, each)


class TestTheSearch:
    """What theory says is best, found without knowing it."""

    def measured(self, filled: Company, name: str, names: list[str], question: Callable[[Measure, Case], T]) -> T:
        chosen = case(name)
        workload = chosen.workload(filled.engine, names)

        def work(what_if: WhatIf, proof: Proof) -> T:
            return question(Measure(workload, what_if, proof, filled.engine == "sqlite"), chosen)

        return filled.ask(chosen, work)

    @pytest.mark.parametrize("engine", ["sqlite", "postgres"])
    def test_the_three_columns(self, engine: str, request: pytest.FixtureRequest, names: list[str]) -> None:
        best = self.measured(
            request.getfixturevalue(engine),
            "newest of a tenant's orders in a status",
            names,
            lambda measure, chosen: best_set(chosen, measure, engine, BRIEF),
        )
        (index,) = best.indexes
        assert {column.name for column in index.columns[:2]} == {"tenant_id", "status"}
        assert index.columns[2].name == "created_at"
        assert best.tried > 30

    @pytest.mark.parametrize("engine", ["sqlite", "postgres"])
    def test_a_pair(self, engine: str, request: pytest.FixtureRequest, names: list[str]) -> None:
        best = self.measured(
            request.getfixturevalue(engine),
            "a join that wants a pair",
            names,
            lambda measure, chosen: best_set(chosen, measure, engine, BRIEF),
        )
        assert {index.columns[0].name for index in best.indexes} == {"customer_id", "order_id"}

    @pytest.mark.parametrize("engine", ["sqlite", "postgres"])
    def test_none_at_all(self, engine: str, request: pytest.FixtureRequest, names: list[str]) -> None:
        best = self.measured(
            request.getfixturevalue(engine),
            "far more writes than reads",
            names,
            lambda measure, chosen: best_set(chosen, measure, engine, BRIEF),
        )
        assert best.indexes == ()

    def test_brief_and_exhaustive_agree(self, sqlite: Company, names: list[str]) -> None:
        for name in ("one or the other", "open orders with their items", "writes and reads alike"):
            both = self.measured(
                sqlite,
                name,
                names,
                lambda measure, chosen: [
                    best_set(chosen, measure, "sqlite", form).total for form in (BRIEF, EXHAUSTIVE)
                ],
            )
            assert both[0] == pytest.approx(both[1], rel=0.1), name

    def test_what_harms_some_parameters_is_not_best(self, sqlite: Company, names: list[str]) -> None:
        """Much better for most calls, and four times worse for the tenant that has nothing."""
        dear = Index("orders", (IndexColumn("created_at"),))
        harmed = self.measured(
            sqlite,
            "newest of a tenant's orders in a status",
            names,
            lambda measure, chosen: (measure.harmed((dear,)), measure.total((dear,)) < measure.total(())),
        )
        assert harmed == (["newest of a tenant's orders in a status 1"], True)

    def test_a_write_that_keeps_up_an_index_pays_but_is_not_harmed(
        self, sqlite: Company, names: list[str]
    ) -> None:
        kept = Index("readings", (IndexColumn("sensor_id"),))

        def question(measure: Measure, chosen: Case) -> tuple[list[str], float, float]:
            insert = next(
                place for place, query in enumerate(measure.workload.queries) if query.verb is Verb.INSERT
            )
            return measure.harmed((kept,)), measure.works(())[insert][0], measure.works((kept,))[insert][0]

        harmed, before, after = self.measured(sqlite, "far more writes than reads", names, question)
        assert harmed == []
        assert after > before


def test_the_advice_is_near_the_best_set(sqlite: Company, names: list[str]) -> None:
    """Every fourth case on one engine; ``dev.py bench advisor`` asks about all of them on both."""
    outcomes = [outcome(sqlite, each, names, BRIEF) for each in cases()[::4]]
    assert [each.case for each in outcomes if not each.is_near] == []
    assert [name for each in outcomes for name in each.harmed] == []


def test_the_report_holds_an_adviser_to_its_word(sqlite: Company, names: list[str]) -> None:
    """An adviser that always says the same is found out."""
    from benchmarks.advisor import report_engine
    from benchmarks.harness.report import Report

    def stubborn(workload: object, what_if: WhatIf, proof: Proof, engine: str) -> tuple[Index, ...]:
        return (Index("orders", (IndexColumn("created_at"),)),)

    some = [case("newest of a tenant's orders in a status"), case("newest of all orders")]
    for adviser, near, harmed in ((stubborn, False, False), (advised, True, True)):
        report = Report()
        report_engine(report, "SQLite", [outcome(sqlite, each, names, BRIEF, adviser) for each in some])
        assert [target.holds for target in report.targets] == [near, harmed]
        assert any(row.name == "SQLite: newest of all orders" for row in report.rows)
