"""What to write instead of a loop over statements: the loader option, the one query, the one write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from steinmetz.sql.facts import Verb


class Cause(Enum):
    """What the ORM was doing when it sent the statement."""

    STATEMENT = "statement"
    """Nothing of its own: the application asked."""
    LAZY_LOAD = "lazy load"
    EAGER_LOAD = "eager load"
    """A loader option that did its work, for owners that were asked for one by one."""
    DEFERRED = "deferred column"
    INHERITED = "columns of a subclass"
    EXPIRED = "expired attributes"
    REFRESH = "refresh"
    FLUSH = "flush"


@dataclass(frozen=True, slots=True)
class Origin:
    """Why a statement was sent, in the model's names.

    ``subject`` is ``Invoice.items`` for a relationship or column, ``Asset`` for the class whose subclass's columns
    were missing, ``entity`` the class that is selected; ``is_collection`` tells one-to-many from many-to-one,
    ``is_recursive`` a relationship of a class with itself.
    """

    cause: Cause = Cause.STATEMENT
    subject: str = ""
    entity: str = ""
    is_collection: bool = False
    is_recursive: bool = False


APPLICATION = Origin()

_AGGREGATE = re.compile(r"^select\s+(count|sum|min|max|avg)\s*\(", re.IGNORECASE)
_EXISTS = re.compile(r"^select\s+exists\b", re.IGNORECASE)
_ON_CONFLICT = re.compile(r"\bon\s+(conflict|duplicate)\b|^replace\b", re.IGNORECASE)


def remedy_for_reads(text: str, columns: tuple[str, ...], origin: Origin, *, is_limited: bool = False) -> str:
    """The sentence for a SELECT that ran once a row; ``columns`` are those its keys were compared to."""
    match origin.cause:
        case Cause.LAZY_LOAD if origin.is_collection:
            return (
                f"Load the relationship together with its owners: "
                f".options(selectinload({origin.subject})) on the query that returns them."
            )
        case Cause.LAZY_LOAD:
            up = (
                " To climb a tree of any depth, ask one recursive CTE: select(...).cte(recursive=True)."
                if origin.is_recursive
                else ""
            )
            return (
                f"Load the relationship together with its owners: "
                f".options(joinedload({origin.subject})) on the query that returns them.{up}"
            )
        case Cause.EAGER_LOAD:
            return (
                f"{origin.subject} is loaded for one owner at a time, as the owners are asked for one by one: "
                f"select them in one query."
            )
        case Cause.DEFERRED:
            return f"Load the column with the rows: .options(undefer({origin.subject}))."
        case Cause.INHERITED:
            return (
                f"Load the subclass's columns with the rows: "
                f".options(selectin_polymorphic({origin.subject}, [{origin.entity}]))."
            )
        case Cause.EXPIRED:
            return (
                f"The commit expired each {origin.entity or 'object'}: use expire_on_commit=False, or select what "
                f"is needed afterwards in one query; for values that the database sets, use eager_defaults=True."
            )
        case Cause.REFRESH:
            entity = origin.entity or "Entity"
            return (
                f"Refresh all at once: select({entity}).where({entity}.id.in_(ids))"
                f".execution_options(populate_existing=True)."
            )
        case _:
            return _one_query(text, columns, origin, is_limited)


def _one_query(text: str, columns: tuple[str, ...], origin: Origin, is_limited: bool) -> str:
    column = columns[-1] if columns else "the key"
    where = f"WHERE {column} IN (...)"
    if _AGGREGATE.match(text):
        return f"Ask once for all: SELECT {column}, ... {where} GROUP BY {column}."
    if _EXISTS.match(text):
        return f"Ask once which exist: SELECT DISTINCT {column} ... {where}."
    if is_limited:
        return (
            f"Ask once for all: number the rows of each by row_number() OVER (PARTITION BY {column} ORDER BY ...) "
            f"and keep the first, {where}; on PostgreSQL a LATERAL join does it too."
        )
    if origin.entity and "." in column:
        attribute = f"{origin.entity}.{column.rpartition('.')[2]}"
        return f"One query with {where}: select({origin.entity}).where({attribute}.in_(keys))."
    return f"Collect the keys and ask once: one query with {where}."


def remedy_for_writes(
    text: str, verb: Verb, columns: tuple[str, ...], origin: Origin, *, commits: bool = False
) -> str:
    """The sentence for a write that ran once a row; ``commits`` if each was a transaction of its own."""
    one = " Commit once, so that it is one transaction." if commits else ""
    if origin.cause is Cause.FLUSH:
        return (
            f"Add or change all objects, then flush once: SQLAlchemy then writes them with one executemany.{one}"
        )
    if verb is Verb.INSERT and _ON_CONFLICT.search(text):
        return (
            f"One INSERT ... ON CONFLICT for all rows: insert(...).values(rows).on_conflict_do_update(...).{one}"
        )
    if verb is Verb.INSERT:
        return (
            f"Insert all rows at once: insert(...).values(rows), or executemany by "
            f"connection.execute(insert(...), rows).{one}"
        )
    column = columns[-1] if columns else "the key"
    if verb is Verb.DELETE:
        return f"Delete all at once: one DELETE with WHERE {column} IN (...).{one}"
    return (
        f"Update all at once: one UPDATE with WHERE {column} IN (...) if they get the same values, else "
        f"executemany: connection.execute(update(...).where({column} == bindparam(...)), rows).{one}"
    )
