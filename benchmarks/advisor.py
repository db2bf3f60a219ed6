"""How near does the index advisor come to the best set of indexes there is?

Forty-four cases (tests/contract/advisor_cases) on SQLite and PostgreSQL: a company's data, one to three statements
with their parameters and how often each is called. For each the best set of at most two indexes of at most three
columns is found by trying all (benchmarks/advice/search.py), the advisor is asked, and both sets are run. Work is
counted: steps of SQLite's virtual machine, rows and buffers of PostgreSQL. Nothing is known beforehand.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import process_time

from benchmarks.advice.case import Case, cases
from benchmarks.advice.company import FilledTable, company
from benchmarks.advice.databases import Company, SqliteCompany, postgres_company
from benchmarks.advice.search import BRIEF, EXHAUSTIVE, Form, Indexes, Measure, best_set, single_best
from benchmarks.harness.confidence import median
from benchmarks.harness.options import Options
from benchmarks.harness.postgres import postgres_server
from benchmarks.harness.processes import StartError
from benchmarks.harness.report import Report, at_least, at_most
from steinmetz.monitor.advisor.advise import advise
from steinmetz.monitor.advisor.workload import Workload
from steinmetz.monitor.dialects.base import Proof, WhatIf

NEAR = 1.2
SHARE_NEAR = 0.9


@dataclass(frozen=True, slots=True)
class Size:
    """How large the company is, how thorough the search, and every how many cases PostgreSQL is asked about."""

    scale: float
    form: Form
    postgres_every: int


FULL = Size(scale=3, form=EXHAUSTIVE, postgres_every=1)
QUICK = Size(scale=1, form=BRIEF, postgres_every=2)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case: the workload's work without an index, with the advice, with the best set, and with the best index
    of one column; the statements that the advice harms."""

    case: str
    none: float
    advised: float
    best: float
    single: float
    advice: Indexes
    best_indexes: Indexes
    tried: int
    harmed: Sequence[str]
    advice_cpu_s: float

    @property
    def ratio(self) -> float:
        """Advice over best; below 1 where the advisor knows more kinds of index than the search."""
        return self.advised / self.best if self.best else 1.0

    @property
    def is_near(self) -> bool:
        return self.ratio <= NEAR


Adviser = Callable[[Workload, WhatIf, Proof, str], Indexes]


def advised(workload: Workload, what_if: WhatIf, proof: Proof, engine: str) -> Indexes:
    """What the product advises."""
    return tuple(creation.index for creation in advise(workload, what_if, engine, proof=proof).create)


def run(options: Options) -> Report:
    size = QUICK if options.quick else FULL
    report = Report()
    tables = company(size.scale)
    report_engine(report, "SQLite", asked(SqliteCompany(tables), cases(), tables, size.form, options))
    try:
        with postgres(options, tables) as filled:
            some = cases()[:: size.postgres_every]
            report_engine(report, "PostgreSQL", asked(filled, some, tables, size.form, options))
    except StartError as missing:
        report.add("PostgreSQL", None, str(missing))
    report.notes.append(
        f"orders: {round(5_000 * size.scale):,} rows. Below 1: partial, covering or longer indexes than tried."
        " Harmed: a read more than a tenth worse for any parameters, or a write for finding its rows"
    )
    return report


@contextmanager
def postgres(options: Options, tables: Sequence[FilledTable]) -> Iterator[Company]:
    with postgres_server(options.cores.load) as server:
        name = f"steinmetz_advisor_{os.getpid()}"
        with postgres_company(server, name, tables, runs=3) as filled:
            yield filled


def asked(
    filled: Company,
    chosen: Sequence[Case],
    tables: Sequence[FilledTable],
    form: Form,
    options: Options,
    adviser: Adviser = advised,
) -> list[Outcome]:
    """Search and advice for each case."""
    names = [table.name for table in tables]
    outcomes = []
    for number, case in enumerate(chosen, 1):
        options.say(f"{filled.engine}, case {number} of {len(chosen)}: {case.name}")
        outcomes.append(outcome(filled, case, names, form, adviser))
    return outcomes


def outcome(filled: Company, case: Case, tables: Sequence[str], form: Form, adviser: Adviser = advised) -> Outcome:
    workload = case.workload(filled.engine, tables)

    def question(what_if: WhatIf, proof: Proof) -> Outcome:
        measure = Measure(workload, what_if, proof, counts_steps=filled.engine == "sqlite")
        started = process_time()
        advice = adviser(workload, what_if, proof, filled.engine)
        advice_cpu_s = process_time() - started
        best = best_set(case, measure, filled.engine, form)
        return Outcome(
            case=case.name,
            none=measure.total(()),
            advised=measure.total(advice),
            best=best.total,
            single=measure.total(single_best(measure, case, filled.engine)),
            advice=advice,
            best_indexes=best.indexes,
            tried=best.tried,
            harmed=measure.harmed(advice),
            advice_cpu_s=advice_cpu_s,
        )

    return filled.ask(case, question)


def report_engine(report: Report, engine: str, outcomes: Sequence[Outcome]) -> None:
    for each in outcomes:
        works = f"{each.none:,.0f} without, {each.advised:,.0f} advised, {each.best:,.0f} best of {each.tried:,}"
        how = f"x best; {works}"
        if not each.is_near:
            how += f": {shown(each.best_indexes)}, not {shown(each.advice)}"
        report.add(f"{engine}: {each.case}", each.ratio, how)
    count = len(outcomes)
    report.add(
        f"{engine}, none", median([each.none / each.best for each in outcomes if each.best]), "x best, median"
    )
    report.add(
        f"{engine}, the planner's favourite column alone",
        100 * sum(each.single <= NEAR * each.best for each in outcomes) / count,
        f"% of cases within {NEAR} x of the best",
    )
    report.add(
        f"{engine}, one advice", 1e3 * median([each.advice_cpu_s for each in outcomes]), "ms of CPU, median"
    )
    near = sum(each.is_near for each in outcomes) / count
    report.targets.append(
        at_least(f"{engine}: within {NEAR} x of the best set", 100 * near, 100 * SHARE_NEAR, "%")
    )
    harmed = sum(len(each.harmed) for each in outcomes)
    report.targets.append(at_most(f"{engine}: statements harmed", harmed, 0))


def shown(indexes: Indexes) -> str:
    return " and ".join(index.definition() for index in indexes) or "none"
