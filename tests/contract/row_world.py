"""A small world of tables, and random reads and writes of it, for proving that no kept answer could have changed.

A *choice* is a function from a list to one of its elements, so that hypothesis or a seed may drive it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Delete,
    Enum,
    Executable,
    ForeignKey,
    Insert,
    MetaData,
    String,
    Table,
    Update,
    Uuid,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, joinedload, mapped_column, relationship, selectinload

T = TypeVar("T")
Choice = Callable[[Sequence[Any]], Any]

UUIDS = [UUID(int=number) for number in range(3)]
NUMBERS = [0, 1, 2]
WORDS = ["", "a", "A", "b"]


class Mood(StrEnum):
    GLAD = "glad"
    SAD = "sad"


@dataclass(frozen=True)
class Variant:
    """One schema: what the foreign keys do, and whether triggers meddle."""

    name: str
    on_delete: str | None = None
    on_update: str | None = None
    self_delete: str | None = None
    triggers: bool = False
    sqlite_options: str = ""


VARIANTS = [
    Variant("plain"),
    Variant("cascades", on_delete="CASCADE", on_update="CASCADE", self_delete="CASCADE"),
    Variant("nulls", on_delete="SET NULL", on_update="SET NULL", self_delete="SET NULL"),
    Variant("triggers", triggers=True),
]


class World:
    """Tables ``parents`` and ``children`` of one variant, with mapped classes."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant

        class Base(DeclarativeBase):
            pass

        class Parent(Base):
            __tablename__ = "parents"
            id: Mapped[int] = mapped_column(primary_key=True)
            above_id: Mapped[int | None] = mapped_column(ForeignKey("parents.id", ondelete=variant.self_delete))
            kind: Mapped[int | None]
            code: Mapped[str | None] = mapped_column(String(20), unique=True)
            key: Mapped[UUID | None] = mapped_column(Uuid())
            flag: Mapped[bool | None] = mapped_column(Boolean())
            children: Mapped[list[Child]] = relationship(
                "Child", order_by="Child.id", cascade="all", passive_deletes=True
            )

        class Child(Base):
            __tablename__ = "children"
            id: Mapped[int] = mapped_column(primary_key=True)
            parent_id: Mapped[int | None] = mapped_column(
                ForeignKey("parents.id", ondelete=variant.on_delete, onupdate=variant.on_update)
            )
            kind: Mapped[int | None]
            name: Mapped[str | None] = mapped_column(String(20))
            mood: Mapped[Mood | None] = mapped_column(
                Enum(
                    Mood,
                    native_enum=False,
                    length=20,
                    values_callable=lambda moods: [each.value for each in moods],
                )
            )
            parent: Mapped[Parent | None] = relationship("Parent", overlaps="children")

        self.metadata: MetaData = Base.metadata
        self.Parent: Any = Parent
        self.Child: Any = Child
        self.parents: Table = Parent.__table__  # type: ignore[assignment]
        self.children: Table = Child.__table__  # type: ignore[assignment]
        self.tables = [self.parents, self.children]

    def create(self, connection: Connection) -> None:
        self.metadata.drop_all(connection)
        self.metadata.create_all(connection)
        if not self.variant.triggers:
            return
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(
                "CREATE TRIGGER moved AFTER UPDATE OF kind ON children BEGIN"
                " UPDATE children SET name = 'moved' WHERE id <> new.id AND parent_id = new.parent_id;"
                " UPDATE parents SET flag = 1 WHERE id = new.parent_id; END"
            )
        else:
            connection.exec_driver_sql(
                "CREATE FUNCTION moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " UPDATE parents SET flag = true WHERE id = new.parent_id; NEW.name := 'moved'; RETURN NEW; END $$"
            )
            connection.exec_driver_sql(
                "CREATE TRIGGER moved BEFORE UPDATE OF kind ON children FOR EACH ROW EXECUTE FUNCTION moved()"
            )

    def fill(self, connection: Connection, choose: Choice) -> None:
        connection.execute(text("DELETE FROM children"))
        connection.execute(text("UPDATE parents SET above_id = NULL"))
        connection.execute(text("DELETE FROM parents"))
        codes = ["a", "A", "b", None]
        for number in range(choose([1, 2, 3])):
            above = choose([None, *range(number)])
            row = self._row(self.parents, choose, id=number, above_id=above, code=codes[number])
            connection.execute(insert(self.parents).values(row))
        for number in range(choose([0, 1, 2, 3])):
            connection.execute(insert(self.children).values(self._row(self.children, choose, id=number)))

    def _row(self, table: Table, choose: Choice, **given: Any) -> dict[str, Any]:
        return {column.name: given.get(column.name, self.value(column, choose)) for column in table.c} | given

    def value(self, column: Column[Any], choose: Choice) -> Any:
        values: list[Any] = {
            "id": NUMBERS, "parent_id": [None, 0], "above_id": [None, 0], "kind": [None, *NUMBERS],
            "mood": [None, *Mood],
            "code": [None, *WORDS], "name": [None, *WORDS], "key": [None, *UUIDS], "flag": [None, True, False],
        }[column.name]  # fmt: skip
        return choose(values)

    # -- reads

    def read(self, choose: Choice) -> Callable[[Connection], Any]:
        """A random read; called with a connection it returns its result in a comparable form."""
        if choose([True, True, True, False]):
            statement = self.select(choose)
            return lambda connection: sorted(map(repr, connection.execute(statement).all()))
        return self._mapped_read(choose)

    def select(self, choose: Choice, depth: int = 0) -> Any:
        source = choose(self.tables)
        if choose([True, False]):
            source = source.alias()
        shape = choose(
            ["plain", "plain", "join", "outer", "full", "chain", "nested", "union", "cte"][: 9 if not depth else 5]
        )
        froms: Any = source
        sources = [source]
        if shape in ("join", "outer", "full", "chain"):
            other = choose(self.tables)
            other = other.alias() if other is source or choose([True, False]) else other
            froms = self._joined(froms, sources, other, shape, choose)
            sources.append(other)
            if shape == "chain":
                third = choose(self.tables).alias()
                froms = self._joined(froms, sources, third, choose(["join", "outer"]), choose)
                sources.append(third)
        columns = [column for each in sources for column in each.c]
        picked = (
            [choose(columns) for _ in range(choose([1, 2]))] if choose([True, True, False]) else [func.count()]
        )
        labelled = [each.label(f"c{place}") for place, each in enumerate(picked)]
        statement = select(*labelled).select_from(froms).where(*self._criteria(sources, choose, depth))
        if shape == "nested":
            inner = self.select(choose, depth + 1).subquery()
            statement = select(*labelled, inner.c[0]).select_from(froms.join(inner, literal(True)))
            statement = statement.where(*self._criteria(sources, choose, depth))
        if shape == "union":
            return statement.with_only_columns(source.c.kind).union(
                select(self.children.c.kind).where(*self._criteria([self.children], choose, 1))
            )
        if shape == "cte":
            inner = self.select(choose, 1).cte("q")
            return select(inner.c[0])
        if choose([True, False, False]):
            statement = statement.order_by(choose(columns))
        return statement

    def _joined(self, froms: Any, sources: list[Any], other: Any, shape: str, choose: Choice) -> Any:
        on = [choose(self._whole_numbers(other)) == choose(self._whole_numbers(choose(sources)))]
        if choose([True, False]):
            on.append(self._criterion(choose([other, *sources]), choose))
        # SQLite before 3.39 has no FULL JOIN; what is newer is what runs here.
        return froms.join(other, and_(*on), isouter=shape == "outer", full=shape == "full")

    @staticmethod
    def _whole_numbers(source: Any) -> list[Any]:
        return [column for column in source.c if column.name in ("id", "parent_id", "above_id", "kind")]

    def _criteria(self, sources: list[Any], choose: Choice, depth: int) -> list[Any]:
        criteria = [self._criterion(choose(sources), choose) for _ in range(choose([0, 1, 1, 2]))]
        if depth == 0 and choose([True, False, False, False]):
            inner = self.select(choose, 1).subquery()
            criteria.append(exists(select(inner.c[0])))
        if depth == 0 and choose([True, False, False, False, False]):
            about, outer = choose(self.tables).alias(), choose(sources)
            criteria.append(exists(select(1).where(about.c.kind == outer.c.kind)))
        return criteria

    def _criterion(self, source: Any, choose: Choice) -> Any:
        column = choose(list(source.c))
        kind = choose(["=", "=", "=", "=", "in", "in", "or", "<>", "null", "lower", "not", "cast", "reverse"])
        value = self.value(column, choose)
        other = self.value(column, choose)
        match kind:
            case "=":
                return column == value
            case "in":
                return column.in_([each for each in (value, other) if each is not None])
            case "or":
                second = choose(list(source.c))
                return or_(column == value, second == self.value(second, choose))
            case "<>":
                return column != value
            case "null":
                return column.is_(None)
            case "lower":
                return func.coalesce(column, other) == value
            case "not":
                return ~(column == value)
            case "cast":
                return column.cast(String) == str(value)
            case _:
                return and_(literal(value, column.type) == column, column == other)

    def _mapped_read(self, choose: Choice) -> Callable[[Connection], Any]:
        number = choose(NUMBERS)
        shape = choose(["get", "lazy", "select in", "joined", "child"])
        parents, children = self.Parent, self.Child

        def told(parent: Any) -> Any:
            return parent and (
                parent.id,
                parent.kind,
                parent.code,
                [(each.id, each.name) for each in parent.children],
            )

        def run(connection: Connection) -> Any:
            with Session(connection) as session:
                if shape == "get":
                    found = session.get(parents, number)
                    return found and (found.id, found.above_id, found.kind, found.code, found.key, found.flag)
                if shape == "lazy":
                    return told(session.get(parents, number))
                if shape == "child":
                    child = session.get(children, number)
                    return child and (child.id, child.kind, child.parent and child.parent.code)
                load = selectinload if shape == "select in" else joinedload
                query = select(parents).options(load(parents.children)).where(parents.id.in_([number, 1]))
                return [told(each) for each in session.scalars(query.order_by(parents.id)).unique()]

        return run

    # -- writes

    def write(self, choose: Choice) -> Callable[[Connection], None]:
        """A random write, without its COMMIT."""
        table = choose(self.tables)
        act = choose(
            ["insert", "generated", "update", "update", "update", "delete", "many", "several", "from select",
             "upsert", "text", "mapped", "mapped", "update from", "batch"]
        )  # fmt: skip
        rows = [self._row(table, choose) for _ in range(3)]
        bare = [{name: value for name, value in row.items() if name != "id"} for row in rows]
        statement: Executable
        parameters: Any = None
        match act:
            case "insert":
                statement = insert(table).values(rows[0])
            case "generated":
                statement = insert(table).values(bare[0])
            case "many":
                statement, parameters = insert(table), bare
            case "several":
                statement = insert(table).values(bare)
            case "batch":
                statement, parameters = insert(table).returning(table.c.id), bare[:2]
            case "from select":
                names = [column.name for column in table.c if column.name not in ("id", "code")]
                statement = insert(table).from_select(
                    names, select(*[table.c[name] for name in names]).where(self._criterion(table, choose))
                )
            case "update":
                statement = self._update(table, choose)
            case "update from":
                other = self.tables[1 - self.tables.index(table)]
                statement = self._update(table, choose).where(table.c.kind == other.c.kind)
            case "delete":
                statement = delete(table).where(*self._criteria([table], choose, 1))
            case "upsert":
                return self._upsert(table, rows[0], choose)
            case "text":
                value = choose(NUMBERS)
                return lambda connection: _run(connection, text(f"UPDATE {table.name} SET kind = {value}"), None)
            case _:
                return self._mapped_write(choose)
        return lambda connection: _run(connection, statement, parameters)

    def _update(self, table: Table, choose: Choice) -> Update:
        names = [column for column in table.c if column.name != "id" or choose([True, False, False])]
        values: dict[Any, Any] = {}
        for column in {choose(names), choose(names)}:
            values[column.name] = self.value(column, choose)
        if choose([True, False, False, False]):
            values["kind"] = table.c.kind + 1
        return update(table).where(*self._criteria([table], choose, 1)).values(values)

    def _upsert(self, table: Table, row: dict[str, Any], choose: Choice) -> Callable[[Connection], None]:
        value = choose(NUMBERS)

        def run(connection: Connection) -> None:
            make = sqlite_insert if connection.dialect.name == "sqlite" else postgres_insert
            statement = make(table).values(row)
            _run(connection, statement.on_conflict_do_update(index_elements=["id"], set_={"kind": value}), None)

        return run

    def _mapped_write(self, choose: Choice) -> Callable[[Connection], None]:
        parents, children = self.Parent, self.Child
        number, kind, word = choose(NUMBERS), choose(NUMBERS), choose(WORDS)
        shape = choose(["change", "delete", "add", "add children", "bulk", "move"])

        def run(connection: Connection) -> None:
            with Session(connection, join_transaction_mode="create_savepoint") as session:
                parent = session.get(parents, number)
                if shape == "add":
                    session.add(parents(kind=kind))
                elif shape == "add children":
                    session.add_all([children(kind=kind, name=word), children(kind=None, parent=parent)])
                elif shape == "bulk":
                    session.execute(update(children).where(children.kind == kind).values(name=word))
                elif parent is None:
                    return
                elif shape == "change":
                    parent.kind = kind
                elif shape == "delete":
                    session.delete(parent)
                elif parent.children:
                    parent.children[0].parent_id = None
                session.commit()

        return run


def _run(connection: Connection, statement: Any, parameters: Any) -> None:
    assert isinstance(statement, Insert | Update | Delete) or parameters is None
    connection.execute(statement, parameters).close()
