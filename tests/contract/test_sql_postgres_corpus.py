"""PostgreSQL: what the corpus touches is found, all of it and little else, judged by the server's own oracles.

Each statement runs twice: when it is new, and when the server has been asked about it in the background. The
oracles are the counters of the transaction (rows written and scans begun, be it by triggers, foreign keys or
functions; not TRUNCATE, which they do not count) and the dependencies that the server itself records of the
statement as the body of a function (not for utility commands, which it does not analyse).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from steinmetz.sql import SqlHook, StatementFacts, hook
from steinmetz.sql.engine import Execution
from steinmetz.sql.session import BLURRED
from steinmetz.tasks import Tasks
from tests.contract.sql_corpus.corpus import schema
from tests.contract.sql_corpus.postgres_builders import CASES as BUILT
from tests.contract.sql_corpus.postgres_builders import Built
from tests.contract.sql_corpus.postgres_corpus import Case, Verdict, postgres_cases

pytestmark = pytest.mark.anyio

CASES: list[Case | Built] = [*postgres_cases(), *BUILT]
_COUNTERS = """
    SELECT schemaname, relname, n_tup_ins + n_tup_upd + n_tup_del AS written,
           seq_scan + coalesce(idx_scan, 0) AS scans
    FROM pg_stat_xact_user_tables"""
_DEPENDS = """
    WITH RECURSIVE named (oid) AS (
        SELECT d.refobjid FROM pg_depend d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = 'pg_temp.judged'::regproc
          AND d.refclassid = 'pg_class'::regclass
        UNION SELECT d.refobjid FROM named
        JOIN pg_class c ON c.oid = named.oid AND c.relkind = 'v'
        JOIN pg_rewrite r ON r.ev_class = c.oid AND r.ev_type = '1'
        JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
         AND d.refclassid = 'pg_class'::regclass
    )
    SELECT DISTINCT n.nspname, c.relname
    FROM named JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind NOT IN ('v', 'S')"""
_ANALYSED = ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES", "TABLE")


@dataclass
class Judged:
    """What was told of a statement when it was new and when it was known, and what the server said of it."""

    new: StatementFacts
    known: StatementFacts
    written: set[str] = field(default_factory=set)
    scanned: set[str] = field(default_factory=set)
    depends: set[str] = field(default_factory=set)
    calls: int = 0  # to the driver, when it was known


@pytest.fixture(scope="module")
async def corpus_url(postgres_url: str) -> AsyncIterator[str]:
    server = create_async_engine(postgres_url, isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await connection.exec_driver_sql("DROP DATABASE IF EXISTS sql_corpus")
        await connection.exec_driver_sql("CREATE DATABASE sql_corpus")
    url = make_url(postgres_url).set(database="sql_corpus").render_as_string(hide_password=False)
    corpus = create_async_engine(url)
    async with corpus.begin() as connection:
        raw = await connection.get_raw_connection()
        await raw.driver_connection.execute(schema("postgres"))  # type: ignore[union-attr]
    await corpus.dispose()
    yield url
    async with server.connect() as connection:
        await connection.exec_driver_sql("DROP DATABASE sql_corpus WITH (FORCE)")
    await server.dispose()


def _shown(place: str, name: str) -> str:
    return name if place == "public" else f"{place}.{name}"


async def _counted(connection: AsyncConnection) -> dict[str, tuple[int, int]]:
    rows = await connection.exec_driver_sql(_COUNTERS)
    return {_shown(row.schemaname, row.relname): (row.written, row.scans) for row in rows}


async def _prepare(connection: AsyncConnection, case: Case | Built) -> None:
    for first in case.first if isinstance(case, Case) else ():
        await connection.exec_driver_sql(first)


async def _run(connection: AsyncConnection, case: Case | Built) -> None:
    if isinstance(case, Built):
        await connection.execute(case.build(), case.values, execution_options=case.options)
    elif case.statement.startswith("COPY"):
        with suppress(DBAPIError):  # a cursor cannot take the stream
            await connection.exec_driver_sql(case.statement)
    else:
        await connection.exec_driver_sql(case.statement)


def _may_change_the_schema(case: Case | Built) -> bool:
    return str(case).startswith(("DO ", "CALL ", "EXECUTE ", "CREATE ")) or " INTO TEMP " in str(case)


class Recorder:
    def __init__(self, sql: SqlHook) -> None:
        self.sql = sql
        self.executions: list[StatementFacts] = []
        sql.observe_executions(self)

    def __call__(self, execution: Execution) -> None:
        self.executions.append(execution.facts)


async def _facts(engine: AsyncEngine, recorder: Recorder, case: Case | Built) -> StatementFacts:
    async with engine.connect() as connection:
        await _prepare(connection, case)
        recorder.executions.clear()
        await _run(connection, case)
        facts = recorder.executions[0]
        fairy = await connection.get_raw_connection()
        if str(case).startswith(("PREPARE", "EXECUTE")) or recorder.sql.knowledge.situation(fairy) == BLURRED:
            await connection.invalidate()  # what is prepared outlives its transaction, and a blurred session, too
        return facts


async def _observe(engine: AsyncEngine, case: Case | Built, judged: Judged) -> None:
    async with engine.connect() as connection:
        await _prepare(connection, case)
        before = await _counted(connection)
        await _run(connection, case)
        if not (isinstance(case, Case) and case.statement.startswith("COPY")):
            await connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
            after = await _counted(connection)
            for name, (written, scans) in after.items():
                if written > before.get(name, (0, 0))[0]:
                    judged.written.add(name)
                if scans > before.get(name, (0, 0))[1]:
                    judged.scanned.add(name)
        await connection.rollback()
        if str(case).startswith(("PREPARE", "EXECUTE")):
            await connection.invalidate()
        elif isinstance(case, Case) and case.statement.lstrip("( ").upper().startswith(_ANALYSED):
            if " INTO TEMP " in case.statement:
                return
            await _prepare(connection, case)
            body = case.statement.rstrip(";")
            await connection.exec_driver_sql(
                f"CREATE FUNCTION pg_temp.judged() RETURNS void LANGUAGE sql BEGIN ATOMIC {body}\n; END"
            )
            await connection.exec_driver_sql("SET LOCAL search_path = public, pg_catalog")
            judged.depends = {_shown(*row) for row in await connection.exec_driver_sql(_DEPENDS)}


@pytest.fixture(scope="module")
async def judged(corpus_url: str) -> AsyncIterator[dict[str, Judged]]:
    engine = create_async_engine(corpus_url, pool_size=1)
    bystander = create_async_engine(corpus_url)
    sql = hook(engine)
    tasks = Tasks("corpus")
    attendant = sql.attendant()
    assert attendant is not None
    recorder = Recorder(sql)
    found: dict[str, Judged] = {}
    tasks.spawn("attend", attendant.run())
    await attendant.settled()
    for case in CASES:
        if not _may_change_the_schema(case):
            new = await _facts(engine, recorder, case)
            found[str(case)] = Judged(new, new)
    await attendant.settled()
    for case in CASES:
        if not _may_change_the_schema(case):
            found[str(case)].known = await _facts(engine, recorder, case)
    for case in CASES:
        if _may_change_the_schema(case):  # what was known of all others is then forgotten
            new = await _facts(engine, recorder, case)
            found[str(case)] = Judged(new, new)
    for case in CASES:
        await _observe(bystander, case, found[str(case)])
    yield found
    await tasks.aclose()
    await bystander.dispose()
    await engine.dispose()


def _missed(facts: StatementFacts, verdict: Verdict) -> tuple[set[str], set[str]]:
    reads = {relation.name for relation in facts.reads | facts.writes}  # who writes has no answer to keep
    writes = {relation.name for relation in facts.writes}
    return (
        set() if facts.reads_unknown else set(verdict.reads) - reads,
        set() if facts.writes_unknown else set(verdict.writes) - writes,
    )


def _too_many(facts: StatementFacts, verdict: Verdict) -> set[str]:
    reads = {relation.name for relation in facts.reads} - verdict.reads - verdict.writes
    return reads | ({relation.name for relation in facts.writes} - verdict.writes)


def test_the_corpus_is_large_enough() -> None:
    assert len(CASES) >= 300
    assert len({str(case) for case in CASES}) == len(CASES)
    assert all(case.source for case in CASES if isinstance(case, Case))


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_nothing_is_missed_and_the_server_knows_of_nothing_else(
    judged: dict[str, Judged], case: Case | Built
) -> None:
    one = judged[str(case)]
    assert _missed(one.new, case.verdict) == (set(), set())
    assert _missed(one.known, case.verdict) == (set(), set())
    assert case.verdict.writes_unknown or one.written <= case.verdict.writes
    assert one.depends <= case.verdict.reads | case.verdict.writes
    if not case.verdict.writes:
        assert one.scanned <= case.verdict.reads
    assert not one.known.reads_unknown or case.verdict.reads_unknown
    assert not one.known.writes_unknown or case.verdict.writes_unknown
    assert _too_many(one.known, case.verdict) <= case.verdict.also


def precision(judged: dict[str, Judged], which: str) -> tuple[float, int, int]:
    """The share of the relations found that are touched; each "perhaps anything" counts as one that is not."""
    right = wrong = 0
    for case in CASES:
        facts: StatementFacts = getattr(judged[str(case)], which)
        excess = len(_too_many(facts, case.verdict)) + (facts.reads_unknown or facts.writes_unknown)
        wrong += excess
        right += len({r.name for r in facts.reads | facts.writes} & (case.verdict.reads | case.verdict.writes))
    return right / (right + wrong), right, wrong


async def test_the_precision_is_at_least_95_percent(judged: dict[str, Judged]) -> None:
    share, right, wrong = precision(judged, "known")
    assert right > 400
    assert share >= 0.95, (share, right, wrong)
    assert share > precision(judged, "new")[0]
