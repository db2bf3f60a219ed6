"""Trap T9, its last sentence: old and new images of what the ORM writes narrow what it concerns, never too far."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, create_engine, delete, event, insert, select, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Session, make_transient_to_detached
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import StaticPool
from sqlalchemy.util import greenlet_spawn

from steinmetz.sql import ScopeKind, WriteSet, images, open_scope
from steinmetz.sql.commits import Commits
from steinmetz.sql.engine import hook
from steinmetz.sql.transaction import ConnectionState
from steinmetz.sql.transaction_observer import Grain
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
    names = iter("bcdefghij")

    def renamed(session: Session) -> None:
        session.get(child, 4).name = next(names)

    told = {}
    for grain in Grain:
        hook(bench.engine).grain = grain
        told[grain] = [bench.concerned(read, in_session(renamed)) for read in (own, elsewhere, by_key)]
    assert told == {
        Grain.TABLE: [True, True, True],
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
    moved = update(world.children).where(world.children.c.id == 4).values(kind=5)
    bench.write(lambda connection: connection.execute(moved))
    child.mood = "sad"
    bench.journal.written = WriteSet()
    session.commit()
    _, read_set = bench.read(lambda c: c.execute(select(world.children).where(world.children.c.kind == 5)).all())
    assert read_set.concerned_by(bench.journal.written)


def changed_under_its_hands(world: World, connection: Connection, between: Callable[[Session, Any], None]) -> None:
    """A session reads a child, something happens, and the session changes its mood."""
    with Session(connection, join_transaction_mode="rollback_only") as session:
        child = session.get(world.Child, 4)
        between(session, child)
        child.mood = "sad"
        session.commit()


def by_statement(session: Session, child: Any) -> None:
    table = type(child).__table__
    where = [table.c.id == 4, table.c.mood == "glad"]
    session.connection().execute(update(table).where(*where).values(parent_id=2))


def by_another_session(session: Session, child: Any) -> None:
    with Session(session.connection(), join_transaction_mode="rollback_only") as other:
        other.get(type(child), 4).parent_id = 2
        other.commit()


def by_another_session_before_a_savepoint(session: Session, child: Any) -> None:
    by_another_session(session, child)
    session.begin_nested()


def by_going_and_coming(session: Session, child: Any) -> None:
    table = type(child).__table__
    session.connection().execute(delete(table).where(table.c.id == 4, table.c.mood == "glad"))
    session.connection().execute(insert(table).values(id=4, parent_id=2, kind=4, name="a", mood="glad"))


def by_bulk(session: Session, child: Any) -> None:
    session.bulk_update_mappings(type(child), [{"id": 4, "parent_id": 2}])


def by_a_listener(session: Session, child: Any) -> None:
    """Within the flush itself."""
    table = type(child).__table__

    def before_update(mapper: Any, connection: Connection, target: Any) -> None:
        connection.execute(update(table).where(table.c.id == 4, table.c.mood == "glad").values(parent_id=2))

    event.listen(type(child), "before_update", before_update)


def by_another_class(session: Session, child: Any) -> None:
    class Twin(DeclarativeBase):
        pass

    class Same(Twin):
        __table__ = type(child).__table__

    same = session.get(Same, 4)
    assert same is not None
    same.parent_id = 2
    session.flush()


BETWEEN = [
    by_statement,
    by_another_session,
    by_another_session_before_a_savepoint,
    by_going_and_coming,
    by_bulk,
    by_a_listener,
    by_another_class,
]


@pytest.mark.parametrize("between", BETWEEN)
def test_t9_what_others_have_set_is_no_image(bench: Bench, world: World, between: Any) -> None:
    entered = select(world.children).where(world.children.c.parent_id == 2, world.children.c.mood == "sad")
    assert bench.concerned(entered, lambda connection: changed_under_its_hands(world, connection, between))


def test_t9_what_a_savepoint_took_back_is_no_image(bench: Bench, world: World) -> None:
    def act(connection: Connection) -> None:
        def between(session: Session, child: Any) -> None:
            savepoint = connection.begin_nested()
            child.parent_id = 2
            session.flush()
            savepoint.rollback()

        changed_under_its_hands(world, connection, between)

    entered = select(world.children).where(world.children.c.parent_id == 1, world.children.c.mood == "sad")
    assert bench.concerned(entered, act)


def test_t9_what_was_attached_is_no_image(bench: Bench, world: World) -> None:
    def act(session: Session) -> None:
        stranger = world.Child(id=4, parent_id=0, mood="glad")
        make_transient_to_detached(stranger)
        session.add(stranger)
        stranger.parent_id = 0
        stranger.mood = "sad"

    entered = select(world.children).where(world.children.c.kind == 4, world.children.c.mood == "sad")
    assert bench.concerned(entered, in_session(act))


def test_t9_what_was_read_from_a_replica_is_no_image(bench: Bench, world: World) -> None:
    replica = an_engine()
    with replica.begin() as connection:
        world.create(connection)
        connection.execute(insert(world.children).values(id=4, kind=0, mood="glad"))

    class Routing(Session):
        def get_bind(self, *arguments: Any, **options: Any) -> Engine:
            return bench.engine if self._flushing else replica

    bench.journal.written = WriteSet()
    with Routing() as session:
        session.get(world.Child, 4).mood = "sad"
        session.commit()
    _, read_set = bench.read(
        lambda connection: connection.execute(select(world.children).where(world.children.c.kind == 4)).all()
    )
    assert read_set.concerned_by(bench.journal.written)
    replica.dispose()


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
    assert prover.kept > 100, "the rule tells many apart"


def _only_new(column: Any, value: Any) -> set[Any]:
    return set()


def _trusting_roll_back(patch: pytest.MonkeyPatch) -> None:
    """What was read stays an image though the savepoint is rolled back."""
    original = Commits._before_control

    def control(self: Commits, facts: Any, *others: Any) -> Any:
        state = next(each for each in others if isinstance(each, ConnectionState))
        sight = state.sight
        holds = sight is not None and sight.holds
        result = original(self, facts, *others)
        if facts.text.lower().startswith("rollback to") and sight is not None:
            sight.holds, state.sight = holds, sight
        return result

    patch.setattr(Commits, "_before_control", control)


def _trusting_strangers(patch: pytest.MonkeyPatch) -> None:
    """Objects that were attached count as read."""
    event.remove(Session, "detached_to_persistent", images._attached)


RULES: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], Callable[[Bench, World], None]]] = {
    "others may have set the column": (
        lambda patch: patch.setattr(ConnectionState, "_moved", lambda *_: set()),
        lambda bench, world: test_t9_what_others_have_set_is_no_image(bench, world, by_statement),
    ),
    "rows may have come and gone": (
        lambda patch: patch.setattr(ConnectionState, "_moved", lambda *_: set()),
        lambda bench, world: test_t9_what_others_have_set_is_no_image(bench, world, by_going_and_coming),
    ),
    "no other session has begun": (
        lambda patch: patch.setattr(images, "_is_the_last", lambda *_: True),
        lambda bench, world: test_t9_what_others_have_set_is_no_image(bench, world, by_another_session),
    ),
    "no savepoint was rolled back": (_trusting_roll_back, test_t9_what_a_savepoint_took_back_is_no_image),
    "nothing was attached": (_trusting_strangers, lambda bench, world: prove_in_short()),
    "what was set has an old image": (
        lambda patch: patch.setattr(images, "_loaded", _only_new),
        lambda bench, world: prove_in_short(),
    ),
    "what was read is of this transaction": (
        lambda patch: patch.setattr(images, "_holds_nothing", lambda *_: True),
        lambda bench, world: test_what_was_read_in_an_earlier_transaction_is_no_image(bench, world),
    ),
}


def prove_in_short() -> None:
    proven(60, seed=1)


@pytest.mark.parametrize("rule", RULES)
def test_t9_each_rule_is_needed(bench: Bench, world: World, rule: str) -> None:
    """Without it, what must concern does not."""
    break_it, judge = RULES[rule]
    try:
        with pytest.MonkeyPatch.context() as patch:
            break_it(patch)
            with pytest.raises(AssertionError):
                judge(bench, world)
    finally:
        if not event.contains(Session, "detached_to_persistent", images._attached):
            event.listen(Session, "detached_to_persistent", images._attached)


@pytest.mark.anyio
async def test_t9_images_on_postgresql_need_a_snapshot(empty_postgres_url: str) -> None:
    engine, world = create_async_engine(empty_postgres_url), World(PLAIN)
    bench = Bench(engine.sync_engine)
    async with engine.begin() as connection:
        await connection.run_sync(world.create)
        rows = [{"id": number, "kind": number, "mood": "glad"} for number in range(6)]
        await connection.execute(insert(world.children), rows)
    elsewhere = select(world.children).where(world.children.c.kind == 5)

    def marry(level: str, mood: str) -> bool:
        _, read_set = bench.read(lambda connection: connection.execute(elsewhere).all())
        bench.journal.written = WriteSet()
        with Session(engine.sync_engine.execution_options(isolation_level=level)) as session:
            session.get(world.Child, 4).mood = mood
            session.commit()
        assert bench.journal.written
        return read_set.concerned_by(bench.journal.written)

    def moved_meanwhile(level: str, number: int) -> bool:
        """Whether it is known that the row has entered the list, which others have moved it to."""
        entered = select(world.children).where(world.children.c.kind == 7, world.children.c.mood == "sad")
        _, read_set = bench.read(lambda connection: connection.execute(entered).all())
        with Session(engine.sync_engine.execution_options(isolation_level=level)) as session:
            child = session.get(world.Child, number)
            with engine.sync_engine.begin() as connection:
                connection.execute(update(world.children).where(world.children.c.id == number).values(kind=7))
            bench.journal.written = WriteSet()
            child.mood = "sad"
            session.commit()
        return read_set.concerned_by(bench.journal.written)

    assert not await greenlet_spawn(marry, "REPEATABLE READ", "sad")
    assert not await greenlet_spawn(marry, "SERIALIZABLE", "glad")
    assert await greenlet_spawn(marry, "READ COMMITTED", "sad"), "others may have moved it since it was read"
    assert await greenlet_spawn(moved_meanwhile, "READ COMMITTED", 3)
    with pytest.raises(DBAPIError, match="serialize"):
        await greenlet_spawn(moved_meanwhile, "REPEATABLE READ", 2)
    await engine.dispose()
