"""Does the advisor find the indexes that the ERP's schema recommends, on a company without them?

A company of scale ``large`` without the five recommended indexes; a day of the workload model (clerks, and the
offices of staff and books) with the cache off, as the query monitor records it; then the advice, each statement
run before and after on a copy. Found again is what begins with the same columns. Work is counted in steps of
SQLite's virtual machine.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness.office import workload_of_a_day
from benchmarks.harness.options import CACHE, Options
from benchmarks.harness.product import seeded_company
from benchmarks.harness.report import Report, at_least
from steinmetz.clock import perf_ns
from steinmetz.erp.db import make_engine
from steinmetz.erp.settings import load_settings
from steinmetz.monitor.advisor.advice import Advice
from steinmetz.monitor.advisor.advisor import advise_on
from steinmetz.monitor.dialects.consult import Terms

RECOMMENDED = {
    "users (email)": "ix_users_email",
    "invoices (status)": "ix_invoices_status",
    "employees (department_id)": "ix_employees_department_id",
    "time_entries (employee_id, date)": "ix_time_entries_employee_id_date",
    "transactions (account_id, date)": "ix_transactions_account_id_date_amount_cents",
}
"""What the schema ships, and what it calls them."""
REQUESTS = 1_000
QUICK_REQUESTS = 150
COPY_MB = 2_000.0


def run(options: Options) -> Report:
    report = Report()
    report_company(report, "demo" if options.quick else "large", options)
    return report


def report_company(report: Report, scale: str, options: Options) -> None:
    """The recommended indexes, found again by what the workload model asks of a company without them."""
    options.say(f"seeding the company of scale {scale}")
    with _without_recommended(seeded_company(scale)) as folder:
        settings = load_settings(
            data_dir=folder, cache=False, live=False, access_log=False, log_level="error",
            rate_limit_address="off", rate_limit_user="off",
        )  # fmt: skip
        options.say("a day at the office")
        requests = QUICK_REQUESTS if options.quick else REQUESTS
        workload = asyncio.run(workload_of_a_day(settings, requests=requests))
        begun = perf_ns()

        async def ask() -> Advice:
            engine = make_engine(settings.database_address, pool_size=1)
            try:
                return await advise_on(
                    engine,
                    workload,
                    verify=True,
                    terms=Terms(max_copy_mb=COPY_MB),
                    told=lambda what, done, total: options.say(f"{what} {done}/{total}"),
                )
            finally:
                await engine.dispose()

        advice = asyncio.run(ask())
    report.add(f"{scale}: statements of the day", advice.statements, f"with {advice.calls:,} calls")
    report.add(f"{scale}: advice", (perf_ns() - begun) / 1e9, "s, proof included")
    report.add(f"{scale}: work saved by the planner's figures", 100 * advice.saved_share, "%")
    report.add(f"{scale}: indexes advised", len(advice.create), "")
    found = 0
    for wanted in RECOMMENDED:
        ours = covering(advice, wanted)
        found += bool(ours)
        how = f"by {ours}" if ours else instead_of(advice, wanted)
        report.add(f"{scale}: {wanted}", _gain(advice, wanted), f"x verified, {how}")
    # The demo company has fewer users than are worth an index.
    report.targets.append(
        at_least(f"{scale}: recommended indexes found again", found, 5 if scale == "large" else 4)
    )


def covering(advice: Advice, wanted: str) -> str:
    """The definition of an advised index that begins with the columns of ``wanted``; empty if there is none."""
    table, _, columns = wanted.removesuffix(")").partition(" (")
    names = columns.split(", ")
    for index in advice.indexes:
        if index.table == table and [column.name for column in index.columns[: len(names)]] == names:
            return index.definition()
    return ""


def instead_of(advice: Advice, wanted: str) -> str:
    """What is advised on the table of a recommended index that was not found, and why nothing that begins so."""
    table, _, columns = wanted.removesuffix(")").partition(" (")
    ours = [index.definition() for index in advice.indexes if index.table == table]
    reasons = [
        f"{each.index.definition()}: {each.reason}"
        for each in advice.rejected
        if each.index.table == table
        and ", ".join(column.name for column in each.index.columns).startswith(columns)
    ]
    return f"instead {', '.join(ours) or 'nothing'}; {' '.join(reasons[:2])}"


def _gain(advice: Advice, wanted: str) -> float | None:
    """The best verified gain of a statement that the index helps."""
    ours = covering(advice, wanted)
    gains = [
        effect.gain.verified
        for creation in advice.create
        if creation.index.definition() == ours
        for effect in creation.helps
        if effect.gain.verified is not None
    ]
    return max(gains, default=None)


@contextmanager
def _without_recommended(source: Path) -> Iterator[Path]:
    folder = CACHE / "run" / "advisor"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    connection = sqlite3.connect(folder / "steinmetz.db")
    for name in RECOMMENDED.values():
        connection.execute(f"DROP INDEX {name}")
    connection.commit()
    connection.close()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
