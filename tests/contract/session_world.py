"""Random units of work in the tables of `tests.contract.row_world`: sessions that read, change and flush, and
everything that may come between what a session has read and what it writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, delete, update
from sqlalchemy.orm import Session, make_transient_to_detached

from tests.contract.row_world import NUMBERS, Choice, World

SETTABLE = {
    "Parent": ["kind", "code", "flag", "above_id", "key"],
    "Child": ["kind", "name", "mood", "parent_id"],
}
STEPS = [
    "load", "load", "load", "set", "set", "set", "set", "flush", "flush", "raw", "raw", "through session", "other",
    "delete", "add", "nest", "undo", "savepoint", "roll back", "bulk", "expire", "expression", "attach", "move",
    "raw delete", "reinsert", "again",
]  # fmt: skip


class Hands:
    """One transaction of several sessions; ``choose`` decides each step, ``between`` is what others may do."""

    def __init__(
        self, world: World, connection: Connection, choose: Choice, between: Callable[[], None] | None = None
    ) -> None:
        self.world = world
        self.connection = connection
        self.choose = choose
        self.between = between
        self.sessions = [self._session(), self._session()]
        self.session = self.sessions[0]
        self.loaded: dict[int, list[Any]] = {}
        self.nested: list[Any] = []

    def _session(self) -> Session:
        return Session(self.connection, join_transaction_mode="rollback_only", expire_on_commit=False)

    @property
    def objects(self) -> list[Any]:
        return [each for each in self.loaded.get(id(self.session), []) if each in self.session]

    def work(self, steps: int) -> None:
        try:
            for _ in range(steps):
                self.step(self.choose(STEPS))
            for session in self.sessions:
                session.flush()
        finally:
            for session in self.sessions:
                session.expunge_all()

    def step(self, act: str) -> None:
        choose, session, world = self.choose, self.session, self.world
        entity = choose([world.Parent, world.Child, world.Child])
        table = entity.__table__
        column = table.c[choose(SETTABLE[entity.__name__])]
        value = world.value(column, choose)
        number = choose(NUMBERS)
        if act == "load":
            if self.between is not None and choose([True, False]):
                self.between()
            found = session.get(entity, number, populate_existing=choose([True, False]))
            if found is not None:
                self.loaded.setdefault(id(session), []).append(found)
        elif act in ("set", "expression", "delete", "expire", "move") and self.objects:
            self._touch(act, choose(self.objects))
        elif act == "flush":
            session.flush()
        elif act == "raw":
            where = [table.c.id == number, table.c.kind == number, column == world.value(column, choose)]
            self.connection.execute(update(table).where(choose(where)).values({column.name: value}))
        elif act == "through session":
            statement = update(entity).where(entity.id == number).values({column.name: value})
            session.execute(statement.execution_options(synchronize_session=choose([False, "evaluate"])))
        elif act == "other":
            self.session = choose(self.sessions)
        elif act == "add":
            session.add(entity(kind=number))
        elif act == "nest":
            self.nested.append(session.begin_nested())
        elif act == "savepoint":
            self.nested.append(self.connection.begin_nested())
        elif act in ("undo", "roll back") and self.nested:
            self.nested.pop().rollback()
        elif act == "bulk":
            session.bulk_update_mappings(entity, [{"id": number, column.name: value}])
        elif act == "attach":
            self._attach(entity(**{"id": number, "kind": choose(NUMBERS), column.name: value}))
        elif act == "raw delete":
            self.connection.execute(delete(world.children).where(world.children.c.id == number))
        elif act == "reinsert":
            self._reinsert(number)
        elif act == "again":
            session.commit()

    def _touch(self, act: str, thing: Any) -> None:
        name = self.choose(SETTABLE[type(thing).__name__])
        if act == "set":
            setattr(thing, name, self.world.value(thing.__table__.c[name], self.choose))
        elif act == "expression":
            thing.kind = thing.__table__.c.kind + 1
        elif act == "delete":
            self.session.delete(thing)
        elif act == "expire":
            self.session.expire(thing)
        elif isinstance(thing, self.world.Parent) and thing.children:
            thing.children.pop()

    def _attach(self, stranger: Any) -> None:
        """An object that was not read in this transaction, with values as they may have been once."""
        make_transient_to_detached(stranger)
        try:
            self.session.add(stranger)
        except Exception:  # one with this key is there
            return
        self.loaded.setdefault(id(self.session), []).append(stranger)

    def _reinsert(self, number: int) -> None:
        children, choose = self.world.children, self.choose
        self.connection.execute(delete(children).where(children.c.id == number))
        row = {column.name: self.world.value(column, choose) for column in children.c} | {"id": number}
        self.connection.execute(children.insert().values(row))
