"""The table of ways by which a secret gets into a statement; what comes out of them is `test_leaks.py`'s business.

A way is given a `Kind` and answers what is to be executed: a statement, a statement with its parameters, a text
for the driver, or a function of a session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    any_,
    bindparam,
    case,
    cast,
    column,
    delete,
    exists,
    func,
    insert,
    lambda_stmt,
    literal,
    literal_column,
    or_,
    select,
    table,
    text,
    tuple_,
    type_coerce,
    union_all,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session, aliased, with_loader_criteria

from tests.contract.leaks.company import HOLDING, PLAIN, WORD, AccessToken, Kind, Person, limited

Way = Callable[[Kind], Any]

READING: dict[str, Way] = {
    "equal": lambda k: select(k.t.c.id).where(k.col == k.secret),
    "the other way round": lambda k: select(k.t.c.id).where(literal(k.secret) == k.col),
    "unequal": lambda k: select(k.t.c.id).where(k.col != k.secret),
    "one of one": lambda k: select(k.t.c.id).where(k.col.in_([k.secret])),
    "one of three": lambda k: select(k.t.c.id).where(k.col.in_([k.secret, k.secret, k.secret])),
    "none of two": lambda k: select(k.t.c.id).where(k.col.not_in([k.secret, k.secret]), k.t.c.city == "Ulm"),
    "an expanding bind": lambda k: (
        select(k.t.c.id).where(k.col.in_(bindparam("list", expanding=True))),
        {"list": [k.secret] * 2},
    ),
    "between": lambda k: select(k.t.c.id).where(k.col.between(k.secret, k.secret)),
    "greater": lambda k: select(k.t.c.id).where(k.col > k.secret, k.t.c.id > 5).limit(3),
    "distinct from": lambda k: select(k.t.c.id).where(k.col.is_distinct_from(k.secret)),
    "a function of the column": lambda k: select(k.t.c.id).where(func.coalesce(k.col, k.secret) == k.secret),
    "a function of the value": lambda k: select(k.t.c.id).where(k.col == func.coalesce(literal(k.secret), k.col)),
    "a cast of the column": lambda k: select(k.t.c.id).where(cast(k.col, Text) == str(k.secret)),
    "a cast of the value": lambda k: select(k.t.c.id).where(cast(k.col, Text) == cast(literal(k.secret), Text)),
    "another type": lambda k: select(k.t.c.id).where(type_coerce(k.col, Text) == str(k.secret)),
    "a condition": lambda k: select(case((k.col == k.secret, 1), else_=0)),
    "the result of a condition": lambda k: select(case((k.t.c.city == "Ulm", k.secret), else_=k.col)),
    "a column of the result": lambda k: select(literal(k.secret).label("city"), k.t.c.id),
    "the order": lambda k: select(k.t.c.id).order_by(case((k.col == k.secret, 0), else_=1)),
    "the groups": lambda k: select(k.t.c.city).group_by(k.t.c.city).having(func.max(k.col) == k.secret),
    "a named bind": lambda k: (select(k.t.c.id).where(k.col == bindparam("p1")), {"p1": k.secret}),
    "a bind with an innocent name": lambda k: (
        select(k.t.c.id).where(k.col == bindparam("city"), k.t.c.city == bindparam("city_1")),
        {"city": k.secret, "city_1": "Ulm"},
    ),
    "one bind in two places": lambda k: (
        select(k.t.c.id).where(
            or_(
                cast(k.t.c.city, Text) == bindparam("city", type_=Text),
                k.t.c.city == bindparam("city"),
                cast(k.col, Text) == bindparam("city", type_=Text),
            )
        ),
        {"city": str(k.secret)},
    ),
    "a bind called later": lambda k: select(k.t.c.id).where(k.col == bindparam(None, callable_=lambda: k.secret)),
    "a literal bind": lambda k: select(k.t.c.id).where(k.col == bindparam("p", k.secret, literal_execute=True)),
    "a literal column": lambda k: select(literal_column(k.literal)).where(k.t.c.id == 1),
    "a literal column compared": lambda k: (
        select(k.t.c.id).where(literal_column(f"people_.{k.raw}") == k.secret).select_from(k.t.alias("people_"))
    ),
    "an alias": lambda k: (lambda x: select(x.c.id).where(x.c[k.col.key] == k.secret))(k.t.alias("x")),
    "a renamed column of a subquery": lambda k: (lambda s: select(s.c.id).where(s.c.city == k.secret))(
        select(k.t.c.id, k.col.label("city")).subquery()
    ),
    "a renamed column of a CTE": lambda k: (lambda s: select(s.c.id).where(s.c.city == k.secret))(
        select(k.t.c.id, k.col.label("city")).cte("found")
    ),
    "a column of a union": lambda k: (lambda s: select(s.c.x).where(s.c.x == k.secret))(
        union_all(select(k.col.label("x")), select(k.col)).subquery()
    ),
    "a function's label": lambda k: (lambda s: select(s.c.city).where(s.c.city == k.secret))(
        select(func.max(k.col).label("city")).subquery()
    ),
    "exists": lambda k: select(k.t.c.id).where(exists().where(k.t.alias("y").c[k.col.key] == k.secret)),
    "a scalar subquery": lambda k: (
        lambda z: select(k.t.c.id).where(
            k.t.c.id == select(func.max(z.c.id)).where(z.c[k.col.key] == k.secret).scalar_subquery()
        )
    )(k.t.alias("z")),
    "a join": lambda k: (lambda other: select(k.t.c.id).join_from(k.t, other, other.c[k.col.key] == k.secret))(
        k.t.alias("other")
    ),
    "a pair": lambda k: select(k.t.c.id).where(
        tuple_(k.t.c.city, k.col).in_([("Ulm", k.secret), ("Bonn", k.secret)])
    ),
    "a concatenation": lambda k: select(k.t.c.id).where(k.t.c.city == cast(k.col, Text) + str(k.secret)),
    "an operator of one's own": lambda k: select(cast(k.col, Text).op("||")(str(k.secret))),
    "a table without metadata": lambda k: (
        (lambda t: select(t.c.id).where(t.c[k.raw] == k.secret))(table(k.t.name, column("id"), column(k.raw)))
        if k.raw in {"password", "salary", "nickname", "value"}
        else select(k.t.c.id).where(column(k.raw) == k.secret)
    ),
    "a column without a table": lambda k: select(k.t.c.id).where(column(k.raw) == k.secret),
    "a lambda": lambda k: _lambda(k),
    "a text with an innocent name": lambda k: text(
        f"SELECT id FROM {k.t.name} WHERE {k.raw} = :p AND city = :city"
    ).bindparams(p=k.secret, city="Ulm"),
    "a text with a telling name": lambda k: text(
        f"SELECT id FROM {k.t.name} WHERE {k.raw} = :password"
    ).bindparams(password=k.secret),
    "a text with a function": lambda k: text(
        f"SELECT id FROM {k.t.name} WHERE coalesce({k.raw}, :p) = :p OR city = 'x'"
    ).bindparams(p=k.secret),
    "a text that renames": lambda k: text(
        f"SELECT * FROM (SELECT {k.raw} AS grade FROM {k.t.name}) AS x WHERE grade = :p"
    ).bindparams(p=k.secret),
    "a text within a statement": lambda k: select(k.t.c.id).where(
        text(f"{k.raw} = :p").bindparams(p=k.secret), k.t.c.city == "Ulm"
    ),
    "a text with the value in it": lambda k: text(f"SELECT id FROM {k.t.name} WHERE {k.raw} = {k.literal}"),
    "a text with columns": lambda k: (
        text(f"SELECT id FROM {k.t.name} WHERE {k.raw} = :p").bindparams(p=k.secret).columns(column("id", Integer))
    ),
    "text for the driver": lambda k: f"SELECT id FROM {k.t.name} WHERE city = 'x' OR {k.raw} = {k.literal}",
    "a comment": lambda k: f"SELECT id /* {k.secret} */ FROM {k.t.name} -- {k.secret}",
    "an alias of a mapped class": lambda k: (
        lambda a: lambda s: s.execute(select(a.id).where(getattr(a, k.attribute) == k.secret))
    )(aliased(k.model)),
    "a mapped class": lambda k: lambda s: s.scalars(select(k.model).where(k.attr == k.secret)).all(),
    "filter_by": lambda k: lambda s: s.query(k.model).filter_by(**{k.attribute: k.secret}).all(),
    "a criterion of the loader": lambda k: (
        lambda s: s.scalars(select(k.model).options(with_loader_criteria(k.model, k.attr == k.secret))).all()
    ),
    "a related class": lambda k: (
        lambda s: s.scalars(
            select(AccessToken).where(AccessToken.person.has(getattr(Person, _of_person(k)) == _secret_for(k)))
        ).all()
    ),
    "a count": lambda k: lambda s: s.query(k.model).filter(k.attr == k.secret).count(),
    "counted with two pages": lambda k: (
        select(k.t.c.id, func.count().over()).where(k.col == k.secret).limit(5).offset(10)
    ),
}

LETTERS: dict[str, Way] = {
    "like": lambda k: select(k.t.c.id).where(k.col.like(k.secret + "%")),
    "not like": lambda k: select(k.t.c.id).where(k.col.not_like(k.secret)),
    "like in any case": lambda k: select(k.t.c.id).where(k.col.ilike(k.secret)),
    "beginning": lambda k: select(k.t.c.id).where(k.col.startswith(k.secret)),
    "beginning, escaped": lambda k: select(k.t.c.id).where(k.col.startswith(k.secret, autoescape=True)),
    "containing": lambda k: select(k.t.c.id).where(k.col.contains(k.secret)),
    "ending": lambda k: select(k.t.c.id).where(k.col.endswith(k.secret)),
    "lower": lambda k: select(k.t.c.id).where(func.lower(k.col) == k.secret),
    "lower on both sides": lambda k: select(k.t.c.id).where(func.lower(k.col) == func.lower(k.secret)),
    "replaced": lambda k: select(func.replace(k.col, k.secret, "x")),
    "part of a text": lambda k: select((k.col + k.secret).label("city")),
}

WRITING: dict[str, Way] = {
    "inserted": lambda k: insert(k.t).values({k.col: k.secret, "city": "Ulm"}),
    "inserted by parameters": lambda k: (insert(k.t), {"city": "Ulm", k.col.key: k.secret}),
    "inserted by many": lambda k: (insert(k.t), [{"id": n, k.col.key: _nth(k, n)} for n in (7, 8, 9)]),
    "rows in one statement": lambda k: insert(k.t).values([{k.col.key: _nth(k, n)} for n in (1, 2)]),
    "returning": lambda k: insert(k.t).values({k.col: k.secret}).returning(k.t.c.id, k.col),
    "many returning": lambda k: (
        insert(k.t).returning(k.t.c.id),
        [{k.col.key: _nth(k, n)} for n in range(12)],
    ),
    "inserted from a select": lambda k: insert(k.t).from_select(
        [k.col], select(cast(literal(k.secret), k.col.type)).where(k.t.c.id == 1)
    ),
    "updated": lambda k: update(k.t).values({k.col: k.secret}).where(k.t.c.id == 1),
    "updated in order": lambda k: update(k.t).ordered_values((k.t.c.city, "Ulm"), (k.col, k.secret)),
    "updated by parameters": lambda k: (
        update(k.t).where(k.t.c.id == bindparam("key")),
        [{"key": n, k.col.key: _nth(k, n)} for n in (1, 2)],
    ),
    "updated where": lambda k: update(k.t).values(city="Bonn").where(k.col == k.secret),
    "updated where, by a bind": lambda k: (
        update(k.t).values(city="Bonn").where(k.col == bindparam("grade_")),
        {"grade_": k.secret},
    ),
    "updated on a condition": lambda k: update(k.t).values(
        {k.col: case((k.t.c.city == "Ulm", k.secret), else_=k.col)}
    ),
    "updated from another": lambda k: (
        lambda o: update(k.t).values({k.col: k.secret}).where(k.t.c.id == o.c.id, o.c[k.col.key] == k.secret)
    )(k.t.alias("o")),
    "updated returning": lambda k: update(k.t).values({k.col: k.secret}).returning(k.col),
    "deleted": lambda k: delete(k.t).where(k.col == k.secret),
    "deleted returning": lambda k: delete(k.t).where(k.col == k.secret).returning(k.t.c.id),
    "a new object": lambda k: lambda s: (s.add(k.model(**{k.attribute: k.secret})), s.flush()),
    "new objects": lambda k: (
        lambda s: (
            s.add_all([k.model(**{k.attribute: _nth(k, n)}) for n in range(5)]),
            s.flush(),
        )
    ),
    "a changed object": lambda k: lambda s: _changed(s, k),
    "objects inserted at once": lambda k: (
        lambda s: s.execute(insert(k.model), [{k.attribute: _nth(k, n)} for n in range(3)])
    ),
    "objects inserted, returned": lambda k: (
        lambda s: s.scalars(
            insert(k.model).returning(k.model), [{k.attribute: _nth(k, n)} for n in range(3)]
        ).all()
    ),
    "objects updated at once": lambda k: (
        lambda s: s.execute(update(k.model), [{"id": n, k.attribute: _nth(k, n)} for n in (101, 102)])
    ),
    "objects updated where": lambda k: (
        lambda s: s.execute(
            update(k.model)
            .where(k.model.city == "Ulm")
            .values({k.attribute: k.secret})
            .execution_options(synchronize_session=False)
        )
    ),
    "a text that inserts": lambda k: text(f"INSERT INTO {k.t.name} (city, {k.raw}) VALUES ('Ulm', :x)").bindparams(
        bindparam("x", k.secret, type_=k.col.type)
    ),
    "a text that updates": lambda k: text(f"UPDATE {k.t.name} SET {k.raw} = :x WHERE id = :id").bindparams(
        bindparam("x", k.secret, type_=k.col.type), id=1
    ),
}

SQLITE: dict[str, Way] = {
    "on conflict": lambda k: sqlite_insert(k.t).values({"id": 1, k.col.key: k.secret})
    .on_conflict_do_update(index_elements=["id"], set_={k.raw: k.secret}),
    "or replace": lambda k: insert(k.t).prefix_with("OR REPLACE").values({"id": 1, k.col.key: k.secret}),
    "a quoted word": lambda k: f'SELECT id FROM {k.t.name} WHERE {k.raw} = "{k.secret}"',
    "a quoted word first": lambda k: f'SELECT id FROM {k.t.name} WHERE "{k.secret}" = {k.raw}',
    "a quoted word in a list": lambda k: f'SELECT id FROM {k.t.name} WHERE {k.raw} IN ("{k.secret}", "x")',
    "a quoted word in a function": lambda k: f'SELECT lower("{k.secret}") FROM {k.t.name}',
    "a quoted word inserted": lambda k: (
        f'INSERT INTO {k.t.name} (city, {k.raw}) VALUES ("Ulm", "{k.secret}")'
    ),
    "question marks": lambda k: (f"SELECT id FROM {k.t.name} WHERE {k.raw} = ?", (k.secret,)),
    "question marks without names": lambda k: (
        f"INSERT INTO {k.t.name} VALUES ({', '.join('?' * len(k.t.c))})",
        tuple(k.secret if each is k.col else "Ulm" if each.name == "city" else None for each in k.t.c),
    ),
    "a key of the whole file": lambda k: f"PRAGMA key = {k.secret}",
    "a default": lambda k: f"CREATE TABLE t_{k.raw} (x TEXT DEFAULT {k.literal})",
    "a view": lambda k: f"CREATE VIEW v_{k.raw} AS SELECT id FROM {k.t.name} WHERE {k.raw} = {k.literal}",
    "a partial index": lambda k: f"CREATE INDEX i_{k.raw} ON {k.t.name} (city) WHERE {k.raw} = {k.literal}",
}  # fmt: skip

POSTGRES: dict[str, Way] = {
    "values as a table": lambda k: select(
        values(column("a", Integer), column("b", Integer if k.is_number else String), name="v").data(
            [(1, k.secret), (2, k.secret)]
        )
    ),
    "on conflict": lambda k: postgres_insert(k.t).values({"id": 1, k.col.key: k.secret})
    .on_conflict_do_update(index_elements=["id"], set_={k.raw: k.secret}),
    "any of an array": lambda k: select(k.t.c.id).where(k.col == any_(func.array_remove([k.secret], None))),
    "dollar quotes": lambda k: f"SELECT id FROM {k.t.name} WHERE {k.raw}::text = $x${k.secret}$x$",
    "an escape string": lambda k: f"SELECT id FROM {k.t.name} WHERE {k.raw}::text = E'a\\'{k.secret}'",
    "numbered binds": lambda k: (f"SELECT id FROM {k.t.name} WHERE {k.raw} = $1", (k.secret,)),
    "a setting": lambda k: f"SET LOCAL app.who TO {WORD}",
    "a setting by function": lambda k: select(func.set_config("app.who", str(k.secret), True)),
    "a writing CTE": lambda k: (
        lambda made: select(made.c.id)
    )(insert(k.t).values({k.col: k.secret}).returning(k.t.c.id).cte("made")),
    "a type with a default": lambda k: f"CREATE TEMP TABLE t_{k.raw} (x text DEFAULT '{k.secret}')",
}  # fmt: skip

FAILING: dict[str, Way] = {
    "taken already": lambda k: (
        insert(limited),
        [{"id": 1, "secret": str(k.secret), "size": 1}, {"id": 2, "secret": str(k.secret), "size": 1}],
    ),
    "not null": lambda k: insert(limited).values(secret=str(k.secret), size=None),
    "unknown column": lambda k: text(f"SELECT no_such FROM {k.t.name} WHERE {k.raw} = {k.literal}"),
    "a broken text": lambda k: f"SELECT id FROM {k.t.name} WHERE {k.raw} = '{k.secret}",
    "a broken quote": lambda k: f'SELECT id FROM {k.t.name} WHERE {k.raw} = "{k.secret}',
    "a broken comment": lambda k: f"SELECT id /* {k.secret} FROM {k.t.name}",
    "syntax": lambda k: f"SELECT id FROM {k.t.name} WHEREVER {k.literal} {k.literal}",
    "a flush": lambda k: lambda s: (s.add(k.model(id=101, **{k.attribute: k.secret})), s.flush()),
}

REFUSED: dict[str, Way] = {
    "a check": lambda k: insert(checked).values(note=str(k.secret)),
    "no number": lambda k: text(f"SELECT id FROM {k.t.name} WHERE id = CAST(:p AS integer)").bindparams(
        p=f"x{k.secret}"
    ),
    "no date": lambda k: f"SELECT id FROM {k.t.name} WHERE date '{k.secret}' > now()",
    "raised by a function": lambda k: f"DO $$ BEGIN RAISE EXCEPTION 'no %', '{k.secret}'; END $$",
}
"""Refused by PostgreSQL, with the value in the message."""

checked = Table(
    "checked_secrets", limited.metadata,
    Column("id", Integer, primary_key=True), Column("note", Text), CheckConstraint("length(note) < 3", "short"),
)  # fmt: skip


UNTYPED = frozenset({"inserted from a select", "updated on a condition"})
"""Where SQLAlchemy gives a value its own type instead of its column's, a structure cannot be bound."""


@dataclass(frozen=True)
class Case:
    """One way for one kind of secret on one driver."""

    driver: str
    way: str
    kind: Kind
    make: Way
    fails: bool = False

    def __str__(self) -> str:
        return f"{self.driver}: {self.way}; {self.kind.reason}"


def cases() -> Iterator[Case]:
    """Most of it on SQLite, once for each reason that is judged in a place of its own; what the drivers bind in
    other ways on each of them; what PostgreSQL alone has, or says in its errors, there."""
    name, number, attribute, type_, declared, configured, key, table_ = PLAIN
    for kind in (name, number, attribute, declared, table_):
        yield from _listed("sqlite", READING, kind)
    for kind in PLAIN:
        yield from _listed("sqlite", WRITING | SQLITE, kind)
    for kind in (attribute, type_, key):
        yield from _listed("sqlite", LETTERS, kind)
    for kind in HOLDING:
        yield from _listed("sqlite", {name: way for name, way in WRITING.items() if name not in UNTYPED}, kind)
    for driver, kind in (("named", attribute), ("numeric", name), ("aiosqlite", configured)):
        yield from _listed(driver, READING | WRITING, kind)
    for kind in (name, number):
        yield from _listed("sqlite", FAILING, kind, fails=True)
        yield from _listed("asyncpg", FAILING | REFUSED, kind, fails=True)
    yield from _listed("asyncpg", READING | POSTGRES, attribute)
    yield from _listed("asyncpg", LETTERS | WRITING | POSTGRES, declared)
    for kind in HOLDING:
        yield from _listed("asyncpg", {each: WRITING[each] for each in ("inserted", "updated")}, kind)


def _listed(driver: str, ways: dict[str, Way], kind: Kind, *, fails: bool = False) -> Iterator[Case]:
    for name, way in ways.items():
        yield Case(driver, name, kind, way, fails)


def _nth(kind: Kind, n: int) -> Any:
    """Like the secret, and another one."""
    if isinstance(kind.secret, str) and not kind.secret.startswith("{"):
        return f"{kind.secret}{n}"
    return kind.secret


def _lambda(kind: Kind) -> Any:
    found, secret, identity = kind.col, kind.secret, kind.t.c.id
    return lambda_stmt(lambda: select(identity).where(found == secret), track_on=[found, identity])


def _of_person(kind: Kind) -> str:
    return kind.attribute if kind.model is Person else "password"


def _secret_for(kind: Kind) -> Any:
    return kind.secret if kind.model is Person else WORD


def _changed(session: Session, kind: Kind) -> None:
    made = kind.model(id=901)
    session.add(made)
    session.flush()
    setattr(made, kind.attribute, kind.secret)
    session.flush()


METADATA: MetaData = limited.metadata
