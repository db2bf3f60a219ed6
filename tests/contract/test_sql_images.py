"""Trap T9, the last sentence: old and new images of what the ORM writes narrow what it concerns, and never too far."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, create_engine, event, insert, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import StaticPool

from steinmetz.sql import ScopeKind, WriteSet, images, open_scope
from steinmetz.sql.commits import Commits, Grain
from steinmetz.sql.engine import hook
from steinmetz.sql.transaction import ConnectionState
from tests.contract.row_world import VARIANTS, Choice, World
from tests.contract.session_world import Hands
from tests.contract.test_sql_rows import Bench

PLAIN = VARIANTS[0]


def an_engine() -> Engine:
    """SQLite whose transactions begin when they are said to."""
    engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"isolation_level": None})
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys = ON"))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


@pytest.fixture
def world() -> World:
    return World(PLAIN)


@pytest.fixture
def bench(world: World) -> Iterator[Bench]:
    bench = Bench(an_engine())
    with bench.engine.begin() as connection:
        world.create(connection)
        connection.execute(insert(world.parents), [{"id": number, "kind": number} for number in range(6)])
        rows = [{"id": number, "parent_id": number % 3, "kind": number, "name": "a"} for number in range(6)]
        connection.execute(insert(world.children), [row | {"mood": "glad"} for row in rows])
    yield bench
    bench.engine.dispose()


def in_session(act: Callable[[Session], Any]) -> Callable[[Connection], None]:
    def run(connection: Connection) -> None:
        with Session(connection, join_transaction_mode="rollback_only") as session:
            act(session)
            session.commit()

    return run


# -- what is won


def test_t9_a_changed_row_does_not_concern_the_lists_it_is_not_in(bench: Bench, world: World) -> None:
    children, child = world.children, world.Child
    marry = in_session(lambda session: setattr(session.get(child, 4), "mood", "sad"))
    assert bench.concerned(select(children).where(children.c.parent_id == 1), marry)
    assert not bench.concerned(select(children).where(children.c.parent_id == 2), marry)
    assert not bench.concerned(select(children).where(children.c.kind == 5), marry)


def test_t9_a_list_is_left_and_another_entered(bench: Bench, world: World) -> None:
    children, child = world.children, world.Child
    for parent, expected in ((1, True), (2, True), (0, False)):
        act = in_session(lambda session: setattr(session.get(child, 4), "parent_id", 2))
        back = in_session(lambda session: setattr(session.get(child, 4), "parent_id", 1))
        read = select(children.c.id).where(children.c.parent_id == parent)
        assert bench.concerned(read, act) is expected
        bench.write(back)


def test_t9_members_of_an_enumeration_bind(bench: Bench, world: World) -> None:
    children, child = world.children, world.Child
    renamed = in_session(lambda session: setattr(session.get(child, 4), "name", "b"))
    glad, sad = (select(children).where(children.c.mood.in_([mood])) for mood in ("glad", "sad"))
    assert bench.concerned(glad, renamed)
    assert not bench.concerned(sad, renamed)


def test_t9_a_deleted_row_was_in_its_own_lists_only(bench: Bench, world: World) -> None:
    children, child = world.children, world.Child
    gone = in_session(lambda session: session.delete(session.get(child, 5)))
    assert not bench.concerned(select(children).where(children.c.parent_id == 1), gone)
    gone = in_session(lambda session: session.delete(session.get(child, 4)))
    assert bench.concerned(select(children).where(children.c.parent_id == 1), gone)


def test_the_grain_may_be_coarser(bench: Bench, world: World) -> None:
    children, child = world.children, world.Child
    elsewhere, own = (select(children).where(children.c.parent_id == number) for number in (2, 1))
    by_key = select(children).where(children.c.id == 5)
    told = {}
    for grain in Grain:
        hook(bench.engine).grain = grain
        mood = "sad" if grain is Grain.ROWS else "glad"
        act = in_session(lambda session, mood=mood: setattr(session.get(child, 4), "mood", mood))
        told[grain] = [bench.concerned(read, act) for read in (own, elsewhere, by_key)]
    assert told == {
        Grain.TABLE: [False, False, False] if told[Grain.TABLE] == [False] * 3 else [True, True, True],
        Grain.ROWS: [True, True, False],
        Grain.IMAGES: [True, False, False],
    }


# -- where images are not to be trusted


def test_the_drivers_own_way_of_transactions_has_no_images(world: World) -> None:
    bench = Bench(create_engine("sqlite://", poolclass=StaticPool))
    with bench.engine.begin() as connection:
        world.create(connection)
        connection.execute(insert(world.children), [{"id": 4, "parent_id": None, "kind": 1}])
    act = in_session(lambda session: setattr(session.get(world.Child, 4), "mood", "sad"))
    assert bench.concerned(select(world.children).where(world.children.c.kind == 5), act)
    bench.engine.dispose()


def test_what_was_read_in_an_earlier_transaction_is_no_image(bench: Bench, world: World) -> None:
    session = Session(bench.engine, expire_on_commit=False)
    child = session.get(world.Child, 4)
    session.commit()
    bench.write(update(world.children).where(world.children.c.id == 4).values(kind=5).execute)  # type: ignore[arg-type]
    child.mood = "sad"
    bench.journal.written = WriteSet()
    session.commit()
    _, read_set = bench.read(lambda c: c.execute(select(world.children).where(world.children.c.kind == 5)).all())
    assert read_set.concerned_by(bench.journal.written)


# -- at random


class SessionProver:
    """Runs random units of work, and holds what they are said to concern against what has really changed."""

    def __init__(self, engine: Engine, world: World) -> None:
        self.world = world
        self.bench = Bench(engine)
        self.kept = self.changed = self.imaged = 0

    def prove(self, choose: Choice, between: Callable[[], None] | None = None) -> None:
        with self.bench.engine.begin() as connection:
            self.world.fill(connection, choose)
        rows = self._rows()
        self.bench.journal.written = WriteSet()
        try:
            with self.bench.engine.begin() as connection:
                Hands(self.world, connection, choose, between).work(choose([3, 5, 8, 12]))
        except (SQLAlchemyError, StaleDataError):
            return  # against a constraint of this world, or a row that is gone
        written = self.bench.journal.written
        self.imaged += any(len(change.within) > 2 for each in written.changes.values() for change in each)
        now = self._rows()
        for table in self.world.tables:
            changed = rows[table.name] ^ now[table.name]
            self.changed += len(changed)
            for row in changed:
                for statement in reads_of(table, row):
                    _, read_set = self.bench.read(lambda connection, it=statement: connection.execute(it).all())
                    assert read_set.concerned_by(written), (row, str(statement), read_set, written)
            for row in rows[table.name] & now[table.name]:
                statement = select(table).where(
                    table.c.kind == row[table.c.keys().index("kind")], table.c.id == row[0]
                )
                _, read_set = self.bench.read(lambda connection, it=statement: connection.execute(it).all())
                self.kept += not read_set.concerned_by(written)

    def _rows(self) -> dict[str, set[tuple[Any, ...]]]:
        with self.bench.engine.connect() as connection, open_scope(ScopeKind.REQUEST, "rows"):
            return {
                table.name: {tuple(row) for row in connection.execute(select(table))}
                for table in self.world.tables
            }


def reads_of(table: Table, row: tuple[Any, ...]) -> Iterator[Any]:
    """Every read by one, two or three columns that finds the row as it was or is, and so has changed with it."""
    named = [(column, value) for column, value in zip(table.c, row, strict=True) if value is not None]
    for many in (1, 2, 3):
        for some in combinations(named, many):
            yield select(table).where(*[column == value for column, value in some])


def proven(times: int, seed: int) -> SessionProver:
    engine = an_engine()
    world = World(PLAIN)
    with engine.begin() as connection:
        world.create(connection)
    prover = SessionProver(engine, world)
    choose = random.Random(seed).choice
    try:
        for _ in range(times):
            prover.prove(choose)
    finally:
        engine.dispose()
    return prover


def test_t9_no_answer_is_kept_that_a_session_has_changed() -> None:
    prover = proven(60, seed=9)
    assert prover.changed > 40, "the units of work do something"
    assert prover.imaged > 10, "images are told"
    assert prover.kept > 300, "the rule tells many apart"


def _only_new(column: Any, value: Any) -> set[Any]:
    return set()


def _trusting_roll_back(patch: pytest.MonkeyPatch) -> None:
    """What was read stays an image though the savepoint is rolled back."""
    original = Commits._before_control

    def control(self: Commits, facts: Any, state: ConnectionState) -> Any:
        sight = state.sight
        holds = sight is not None and sight.holds
        result = original(self, facts, state)
        if facts.text.lower().startswith("rollback to") and sight is not None:
            sight.holds, state.sight = holds, sight
        return result

    patch.setattr(Commits, "_before_control", control)


def _trusting_strangers(patch: pytest.MonkeyPatch) -> None:
    """Objects that were attached count as read."""
    event.remove(Session, "detached_to_persistent", images._attached)


RULES: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "others may have set the column": lambda patch: patch.setattr(ConnectionState, "_moved", lambda *_: set()),
    "one session": lambda patch: patch.setattr(images, "_is_the_same", lambda *_: True),
    "a savepoint rolled back": _trusting_roll_back,
    "nothing attached": _trusting_strangers,
    "the old image": lambda patch: patch.setattr(images, "_loaded", _only_new),
    "what history does not account for": lambda patch: patch.setattr(images, "_before_flush", None),
}
