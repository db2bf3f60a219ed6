"""The hook: marks before COMMIT, bumps after it, doubt where the fate of a COMMIT is open."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

from steinmetz.sql import Execution, Relation, ScopeKind, WriteSet, hook, open_scope, sending

INSERT = text("INSERT INTO orders (total) VALUES (1)")
COUNT = text("SELECT count(*) FROM orders")
ORDERS = WriteSet(frozenset({Relation("main", "orders")}))


class Journal:
    """An observer that writes down what it is told, and how many orders a stranger sees at that moment."""

    def __init__(self, path: Path | None = None) -> None:
        self.told: list[str] = []
        self.writes: list[WriteSet] = []
        self.visible: list[int] = []
        self.path = path

    def _tell(self, act: str) -> None:
        self.told.append(act)
        if self.path is not None:
            stranger = sqlite3.connect(self.path)
            self.visible.append(stranger.execute("SELECT count(*) FROM orders").fetchone()[0])
            stranger.close()

    def mark(self, writes: WriteSet) -> object:
        self.writes.append(writes)
        self._tell("mark")
        return writes

    def bump(self, token: object) -> None:
        assert token in self.writes
        self._tell("bump")

    def unmark(self, token: object) -> None:
        assert token in self.writes
        self._tell("unmark")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "orders.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        "PRAGMA journal_mode = wal; CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER)"
    )
    connection.close()
    return path


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    engine = create_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture
def journal(engine: Engine, path: Path) -> Journal:
    journal = Journal(path)
    hook(engine).observe_transactions(journal)
    return journal


class TestTransaction:
    def test_a_commit_is_marked_before_it_is_visible_and_bumped_when_it_is(
        self, engine: Engine, journal: Journal
    ) -> None:
        with engine.begin() as connection:
            connection.execute(INSERT)
            assert journal.told == []
        assert journal.told == ["mark", "bump"]
        assert journal.visible == [0, 1]
        assert journal.writes == [ORDERS]

    def test_a_transaction_that_only_reads_tells_nothing(self, engine: Engine, journal: Journal) -> None:
        with engine.begin() as connection:
            connection.execute(COUNT)
        assert journal.told == []

    def test_a_rollback_tells_nothing(self, engine: Engine, journal: Journal) -> None:
        with engine.connect() as connection:
            connection.execute(INSERT)
            connection.rollback()
            connection.execute(COUNT)
            connection.commit()
        assert journal.told == []

    def test_a_connection_given_back_without_commit_tells_nothing(self, engine: Engine, journal: Journal) -> None:
        for statement in (INSERT, COUNT):
            with engine.connect() as connection:
                connection.execute(statement)
        with engine.begin() as connection:
            connection.execute(COUNT)
        assert journal.told == []

    def test_a_savepoint_rolled_back_may_only_tell_too_much(self, engine: Engine, journal: Journal) -> None:
        with engine.begin() as connection:
            connection.execute(INSERT)
            inner = connection.begin_nested()
            connection.execute(INSERT)
            inner.rollback()
        assert journal.told == ["mark", "bump"]
        assert journal.writes == [ORDERS]

    def test_writes_under_autocommit_count_at_once(self, engine: Engine, journal: Journal) -> None:
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(INSERT)
            assert journal.told == ["mark", "bump"]
            assert journal.visible == [0, 1]

    def test_a_driver_in_autocommit_is_noticed(self, path: Path) -> None:
        engine = create_engine(f"sqlite:///{path}", connect_args={"isolation_level": None})
        journal = Journal(path)
        hook(engine).observe_transactions(journal)
        with engine.connect() as connection:
            connection.execute(INSERT)
            assert journal.told == ["mark", "bump"]
        engine.dispose()

    def test_a_commit_sent_as_text_is_a_commit(self, path: Path) -> None:
        engine = create_engine(f"sqlite:///{path}", connect_args={"isolation_level": None})
        journal = Journal(path)
        hook(engine).observe_transactions(journal)
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            connection.execute(INSERT)
            assert journal.told == []
            connection.exec_driver_sql("COMMIT")
            assert journal.visible == [0, 1]
        engine.dispose()

    def test_all_observers_hear_of_it_in_the_order_of_their_registration(self, engine: Engine) -> None:
        told: list[str] = []

        class Named(Journal):
            def __init__(self, name: str) -> None:
                super().__init__()
                self.name = name

            def _tell(self, act: str) -> None:
                told.append(f"{self.name} {act}")

        for name in ("cache", "live"):
            hook(engine).observe_transactions(Named(name))
        with engine.begin() as connection:
            connection.execute(INSERT)
        assert told == ["cache mark", "live mark", "cache bump", "live bump"]

    def test_an_observer_that_cannot_mark_stops_the_commit(self, engine: Engine, path: Path) -> None:
        first = Journal(path)

        class Deaf(Journal):
            def mark(self, writes: WriteSet) -> object:
                raise ConnectionError("the cache cannot be reached")

        hook(engine).observe_transactions(first)
        hook(engine).observe_transactions(Deaf())
        with pytest.raises(ConnectionError), engine.begin() as connection:
            connection.execute(INSERT)
        assert first.told == ["mark", "unmark"]
        assert first.visible == [0, 0]

    def test_an_observer_that_cannot_bump_does_not_undo_the_commit(self, engine: Engine, path: Path) -> None:
        class Broken(Journal):
            def bump(self, token: object) -> None:
                raise RuntimeError("out of order")

        after = Journal(path)
        hook(engine).observe_transactions(Broken())
        hook(engine).observe_transactions(after)
        with engine.begin() as connection:
            connection.execute(INSERT)
        assert after.told == ["mark", "bump"]
        assert after.visible == [0, 1]

    def test_failpoints_stand_around_the_commit(self, engine: Engine, journal: Journal) -> None:
        hook(engine).failpoint = journal.told.append
        with engine.begin() as connection:
            connection.execute(INSERT)
        assert journal.told == ["mark", "marked", "committed", "bump"]

    def test_t5_threads_commit_each_its_own(self, engine: Engine, journal: Journal) -> None:
        journal.path = None

        def write() -> None:
            with engine.begin() as connection:
                connection.execute(INSERT)

        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(journal.told) == ["bump"] * 8 + ["mark"] * 8

    def test_t6_a_suite_that_rolls_everything_back_may_let_savepoints_count(
        self, engine: Engine, journal: Journal
    ) -> None:
        hook(engine).bump_on_release = True
        with engine.connect() as connection:
            outer = connection.begin()
            with Session(connection, join_transaction_mode="create_savepoint") as session:
                session.execute(INSERT)
                session.commit()
            assert journal.told == ["mark", "bump"]
            outer.rollback()


class LosesReplies(sqlite3.Connection):
    """Commits, and then the answer is lost on its way."""

    lost = True

    def commit(self) -> None:
        super().commit()
        if self.lost and self.total_changes:
            self.lost = False
            raise sqlite3.OperationalError("the reply never came")


class TestDoubt:
    @pytest.fixture
    def engine(self, path: Path) -> Iterator[Engine]:
        engine = create_engine(f"sqlite:///{path}", connect_args={"factory": LosesReplies})
        yield engine
        engine.dispose()

    def test_t7_a_lost_reply_is_no_rollback(self, engine: Engine, journal: Journal) -> None:
        connection = engine.connect()
        connection.execute(INSERT)
        with pytest.raises(Exception, match="the reply never came"):
            connection.commit()
        assert journal.told == ["mark"]
        connection.rollback()
        connection.close()
        assert journal.told == ["mark", "bump"]
        assert journal.visible == [0, 1]

    def test_t7_the_next_statement_resolves_the_doubt(self, engine: Engine, journal: Journal) -> None:
        with engine.connect() as connection:
            connection.execute(INSERT)
            raw = connection.connection
            with pytest.raises(sqlite3.OperationalError):
                engine.dialect.do_commit(raw)
            assert journal.told == ["mark"]
            connection.execute(COUNT)
            assert journal.told == ["mark", "bump"]

    def test_t7_the_end_of_the_connection_resolves_the_doubt(self, engine: Engine, journal: Journal) -> None:
        with engine.connect() as connection:
            connection.execute(INSERT)
            with pytest.raises(sqlite3.OperationalError):
                engine.dialect.do_commit(connection.connection)
            assert journal.told == ["mark"]
            connection.invalidate()
            assert journal.told == ["mark", "bump"]

    def test_t7_a_failure_before_the_commit_was_sent_is_still_a_doubt(
        self, engine: Engine, journal: Journal
    ) -> None:
        def fail(point: str) -> None:
            raise InterruptedError(point)

        hook(engine).failpoint = fail
        with pytest.raises(InterruptedError), engine.begin() as connection:
            connection.execute(INSERT)
        assert journal.told == ["mark", "bump"]


class Gated(sqlite3.Connection):
    """A COMMIT that takes until somebody opens the gate."""

    reached: threading.Event
    gate: threading.Event

    def commit(self) -> None:
        if self.in_transaction:
            self.reached.set()
            self.gate.wait(10)
        super().commit()


@pytest.mark.anyio
class TestCancelled:
    @pytest.fixture
    def gated(self) -> type[Gated]:
        return type("Gated", (Gated,), {"reached": threading.Event(), "gate": threading.Event()})

    async def _begin(self, path: Path, gated: type[Gated]) -> tuple[Any, Journal, asyncio.Task[None]]:
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"factory": gated})
        journal = Journal(path)
        hook(engine).observe_transactions(journal)

        async def write() -> None:
            async with engine.begin() as connection:
                await connection.execute(INSERT)

        task = asyncio.create_task(write())
        await asyncio.to_thread(gated.reached.wait)
        assert journal.told == ["mark"]
        task.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        return engine, journal, task

    async def test_t7_a_cancelled_task_waits_for_the_commit_it_has_sent(
        self, path: Path, gated: type[Gated]
    ) -> None:
        engine, journal, task = await self._begin(path, gated)
        assert not task.done()
        assert journal.told == ["mark"]
        gated.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert journal.told == ["mark", "bump"]
        assert journal.visible == [0, 1]
        await engine.dispose()

    async def test_t7_a_commit_that_outlives_the_grace_bumps_when_it_ends(
        self, path: Path, gated: type[Gated], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sending, "COMMIT_GRACE_S", 0.0)
        engine, journal, task = await self._begin(path, gated)
        assert journal.told == ["mark"]
        gated.gate.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        await engine.dispose()
        while journal.told != ["mark", "bump"]:
            await asyncio.sleep(0)
        assert journal.visible == [0, 1]

    async def test_t5_async_commits_are_seen(self, path: Path) -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        journal = Journal(path)
        hook(engine).observe_transactions(journal)
        async with engine.begin() as connection:
            await connection.execute(INSERT)
        assert journal.visible == [0, 1]
        assert engine.sync_engine._has_events is False
        await engine.dispose()


class TestScope:
    def test_statements_are_noted_where_they_belong(self, engine: Engine) -> None:
        hook(engine)
        with open_scope(ScopeKind.REQUEST, "GET /orders") as scope, engine.connect() as connection:
            connection.execute(COUNT)
            assert not scope.wrote
            connection.execute(INSERT)
        assert scope.reads == {Relation("main", "orders")}
        assert scope.statements == 2
        assert scope.wrote

    @pytest.mark.anyio
    async def test_t2_a_read_that_lost_its_scope_makes_open_recordings_uncertain(self, engine: Engine) -> None:
        hook(engine)

        def read() -> None:
            with engine.connect() as connection:
                connection.execute(COUNT)

        with open_scope(ScopeKind.REQUEST, "kept") as kept:
            await asyncio.to_thread(read)
        assert kept.read_set().is_certain
        assert kept.reads == {Relation("main", "orders")}
        with open_scope(ScopeKind.REQUEST, "lost") as lost:
            await asyncio.get_running_loop().run_in_executor(None, read)
        assert not lost.read_set().is_certain


class TestTwoPhases:
    """SQLite has no PREPARE TRANSACTION, so the dialect's own methods are stood in for."""

    @pytest.fixture
    def acts(self, engine: Engine, journal: Journal) -> list[str]:
        acts: list[str] = []
        sql = hook(engine)

        def stand_in(act: str) -> Any:
            return lambda connection, xid, *options: (journal.told.append(act), acts.append(xid))

        for act in ("prepare", "commit", "rollback"):
            sql._original[f"do_{act}_twophase"] = stand_in(act)
        return acts

    def test_a_prepared_transaction_is_told_when_it_is_committed(
        self, engine: Engine, journal: Journal, acts: list[str]
    ) -> None:
        with engine.connect() as connection:
            connection.execute(INSERT)
            engine.dialect.do_prepare_twophase(connection, "x1")
            connection.rollback()
            assert journal.told == ["prepare"]
        with engine.connect() as other:
            engine.dialect.do_commit_twophase(other, "x1")
        assert journal.told == ["prepare", "mark", "commit", "bump"]
        assert journal.writes == [ORDERS]
        assert acts == ["x1", "x1"]

    def test_a_prepared_transaction_rolled_back_tells_nothing(
        self, engine: Engine, journal: Journal, acts: list[str]
    ) -> None:
        with engine.connect() as connection:
            connection.execute(INSERT)
            engine.dialect.do_prepare_twophase(connection, "x1")
            engine.dialect.do_rollback_twophase(connection, "x1")
        assert journal.told == ["prepare", "rollback"]

    def test_one_that_has_written_nothing_tells_nothing(
        self, engine: Engine, journal: Journal, acts: list[str]
    ) -> None:
        with engine.connect() as connection:
            engine.dialect.do_prepare_twophase(connection, "x1")
            engine.dialect.do_commit_twophase(connection, "x1")
            engine.dialect.do_commit_twophase(connection, "never prepared", False)
        assert journal.told == ["prepare", "commit", "commit"]

    @pytest.mark.parametrize("recover", [True, False])
    def test_one_of_another_process_may_have_written_anything(
        self, engine: Engine, journal: Journal, acts: list[str], recover: bool
    ) -> None:
        with engine.connect() as connection:
            engine.dialect.do_commit_twophase(connection, "of another process", True, recover)
        assert journal.writes == [WriteSet(unknown=frozenset({"main"}))]


class TestHook:
    def test_hooking_twice_is_hooking_once(self, engine: Engine) -> None:
        assert hook(engine) is hook(engine)
        with pytest.raises(ValueError, match="already hooked as 'main'"):
            hook(engine, database="other")

    def test_removing_gives_the_dialect_its_own_methods_back(self, engine: Engine, journal: Journal) -> None:
        hook(engine).remove()
        assert not [name for name in vars(engine.dialect) if name.startswith("do_") or "steinmetz" in name]
        with engine.begin() as connection:
            connection.execute(INSERT)
        assert journal.told == []

    def test_two_engines_are_kept_apart(self, engine: Engine, journal: Journal, tmp_path: Path) -> None:
        other = create_engine(f"sqlite:///{tmp_path}/other.db")
        heard = Journal()
        hook(other, database="other").observe_transactions(heard)
        with other.begin() as connection:
            connection.execute(text("CREATE TABLE orders (total INTEGER)"))
        heard.writes.clear()
        with other.begin() as connection:
            connection.execute(INSERT)
        assert heard.writes == [WriteSet(frozenset({Relation("other", "orders")}))]
        assert journal.told == []
        other.dispose()

    def test_it_listens_to_no_engine_event(self, engine: Engine, journal: Journal) -> None:
        with engine.begin() as connection:
            connection.execute(INSERT)
        assert engine._has_events is False
        assert engine.dialect._has_events is False
        assert hook(engine).blind_spots() == []

    def test_it_names_listeners_that_may_hide_statements_from_it(self, engine: Engine) -> None:
        sql = hook(engine)
        event.listen(engine, "do_execute", lambda cursor, statement, parameters, context: None)
        assert sql.blind_spots() == ["an event listener for do_execute may execute statements itself"]

    def test_an_unknown_text_is_unknown_in_all_respects(self, engine: Engine) -> None:
        facts = hook(engine).facts_of("SELECT never_seen")
        assert facts.reads_unknown
        assert facts.writes_unknown


class TestExecutions:
    def test_an_execution_tells_what_ran_and_how(self, engine: Engine) -> None:
        seen: list[Execution] = []
        hook(engine).observe_executions(seen.append)
        with open_scope(ScopeKind.JOB, "billing") as scope, engine.begin() as connection:
            connection.execute(text("INSERT INTO orders (total) VALUES (:total)"), [{"total": 1}, {"total": 2}])
        (execution,) = seen
        assert execution.many
        assert execution.rows == 2
        assert execution.scope is scope
        assert execution.error is None
        assert execution.execute_ns > 0
        assert execution.facts.text == "INSERT INTO orders(total) VALUES (?)"

    def test_a_failed_statement_is_told_with_its_error(self, engine: Engine) -> None:
        seen: list[Execution] = []
        hook(engine).observe_executions(seen.append)
        with engine.connect() as connection, pytest.raises(Exception, match="no such table"):
            connection.exec_driver_sql("SELECT * FROM nowhere")
        assert isinstance(seen[0].error, sqlite3.OperationalError)

    def test_an_observer_that_fails_does_not_hurt_the_statement_nor_log_its_values(self, engine: Engine) -> None:
        def fail(execution: Execution) -> None:
            raise RuntimeError(repr(execution.parameters))

        hook(engine).observe_executions(fail)
        with structlog.testing.capture_logs() as logs, engine.connect() as connection:
            assert connection.execute(text("SELECT :secret"), {"secret": "hunter2"}).scalar() == "hunter2"
        (line,) = logs
        assert line["event"] == "An execution observer failed"
        assert line["error"].startswith("RuntimeError in ")
        assert "hunter2" not in repr(line)

    def test_its_representation_shows_no_value(self, engine: Engine) -> None:
        seen: list[Execution] = []
        hook(engine).observe_executions(seen.append)
        with engine.connect() as connection:
            connection.execute(text("SELECT 'hunter1', :secret"), {"secret": "hunter2"})
        assert "hunter" not in repr(seen)

    def test_an_observer_may_leave(self, engine: Engine) -> None:
        seen: list[Execution] = []
        sql = hook(engine)
        sql.observe_executions(seen.append)
        sql.unobserve(seen.append)
        with engine.connect() as connection:
            connection.execute(COUNT)
        assert seen == []


class TestElder:
    """Hazard H7: what a scope reads in a transaction older than itself may be a snapshot of the past."""

    @pytest.mark.parametrize("by", ["overrides", "events"])
    def test_a_transaction_that_began_before_the_scope_makes_it_known(self, engine: Engine, by: Any) -> None:
        hook(engine, by=by)
        with engine.connect() as connection:
            connection.execute(COUNT)
            for _ in range(3):  # unknown, learnt, and the quick way
                with open_scope(ScopeKind.REQUEST, "old") as old:
                    connection.execute(COUNT)
                assert old.doubts
            connection.rollback()
            for _ in range(3):
                with open_scope(ScopeKind.REQUEST, "young") as young:
                    connection.execute(COUNT)
                    connection.commit()
                assert not young.doubts

    def test_a_connection_of_the_scope_s_own_is_as_young_as_it(self, engine: Engine) -> None:
        hook(engine)
        for _ in range(3):
            with open_scope(ScopeKind.REQUEST, "GET /") as scope, engine.connect() as connection:
                connection.execute(COUNT)
            assert not scope.doubts

    @pytest.mark.anyio
    async def test_in_the_thread_of_an_asynchronous_driver_too(self, path: Path) -> None:
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        hook(engine)
        async with engine.connect() as connection:
            await connection.execute(COUNT)
            for _ in range(3):
                with open_scope(ScopeKind.REQUEST, "old") as old:
                    await connection.execute(COUNT)
                assert old.doubts
        for _ in range(2):
            with open_scope(ScopeKind.REQUEST, "young") as young:
                async with engine.connect() as connection:
                    await connection.execute(COUNT)
            assert not young.doubts
        await engine.dispose()
