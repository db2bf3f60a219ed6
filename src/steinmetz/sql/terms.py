"""What the elements of a compiled statement stand for: relations, kinds of columns, parameters, conjuncts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import types
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, BooleanClauseList, Grouping, Null
from sqlalchemy.sql.schema import Table

from steinmetz.sql.facts import Columns, Relation, StatementFacts, Stored
from steinmetz.sql.rows import Kind

_STORED = {
    Kind.INTEGER: {Stored.INTEGER, Stored.ROWID},
    Kind.TEXT: {Stored.TEXT},
    Kind.UUID: {Stored.UUID, Stored.TEXT},
    Kind.BOOLEAN: {Stored.BOOLEAN},
    Kind.WORD: {Stored.TEXT},
}
_TYPES: tuple[tuple[type[Any], Kind], ...] = (
    (types.Integer, Kind.INTEGER),
    (types.Uuid, Kind.UUID),
    (types.Boolean, Kind.BOOLEAN),
    (types.String, Kind.TEXT),
)


class Uncertain(Exception):  # noqa: N818  it is a state of affairs, not an error
    """The statement has something in it that is not reasoned about here."""


class Names:
    """What elements of one statement stand for in its database."""

    def __init__(self, facts: StatementFacts, compiled: Any) -> None:
        self.facts = facts
        self.compiled = compiled
        self._folds = compiled.dialect.name == "sqlite"
        self._binds: Mapping[Any, str] = compiled.bind_names

    def fold(self, name: Any) -> str:
        return str(name).lower() if self._folds else str(name)

    def relations(self, table: Table) -> tuple[Relation, ...]:
        """Those that ``table`` may be; one too many does no harm, it only adds rows."""
        name = self.fold(table.name)
        return tuple(
            relation
            for relation in self.facts.direct
            if (shown := self.fold(relation.name)) == name or shown.endswith("." + name)
        )

    def bind(self, element: Any) -> str | None:
        """The name of a bound parameter in ``compiled_parameters``."""
        return self._binds.get(element)

    def kind(self, column: Any, relations: Sequence[Relation]) -> Kind | None:
        """The kind of a column, if the database keeps it accordingly in all of ``relations``."""
        kind = kind_of(column.type, self.compiled.dialect)
        name = self.fold(column.name)
        if kind is None or not relations:
            return None
        fits = _STORED[kind]
        return kind if all(self._columns(each).get(name) in fits for each in relations) else None

    def stored(self, column: Any, relation: Relation) -> Stored | None:
        return self._columns(relation).get(self.fold(column.name))

    def are_columns(self, names: Iterable[str], relation: Relation) -> bool:
        """Whether all ``names`` are columns of ``relation`` in the database."""
        return self._columns(relation).keys() >= set(names)

    def is_same_kind(self, element: Any, kind: Kind) -> bool:
        return kind_of(element.type, self.compiled.dialect) is kind

    def _columns(self, relation: Relation) -> Mapping[str, Stored]:
        return self.facts.direct.get(relation, Columns({})).stored


def kind_of(type_: Any, dialect: Any) -> Kind | None:
    """What a SQLAlchemy type makes of Python values; None for whatever may convert them in its own way."""
    implementation = type_.dialect_impl(dialect)
    if type(type_) is types.Enum and type(implementation) is types.Enum:
        return Kind.WORD if _keeps_words(type_) else None
    for one in (type_, implementation):
        if not type(one).__module__.startswith("sqlalchemy.") or isinstance(one, types.TypeDecorator | types.Enum):
            return None
    if getattr(implementation, "_has_bind_expression", True):
        return None
    return next(
        (kind for known, kind in _TYPES if isinstance(type_, known) and isinstance(implementation, known)), None
    )


def _keeps_words(type_: types.Enum) -> bool:
    """Whether every member of the enumeration is text and is kept as that very text.

    A string that is none of them is kept as it is, too (or refused).
    """
    members = type_.enum_class
    return (
        isinstance(members, type)
        and issubclass(members, StrEnum)
        and type_.enums == [member.value for member in members]
    )


def conjuncts(criteria: Iterable[Any]) -> Iterator[Any]:
    for each in criteria:
        element = each
        while isinstance(element, Grouping):
            element = element.element
        if isinstance(element, BooleanClauseList):
            if element.operator is operators.and_:
                yield from conjuncts(element.clauses)
        elif element is not None and not isinstance(element, Null):
            yield element


def sides(term: Any) -> tuple[Any, Any]:
    """The sides of an equality or of IN, the column first; (None, None) for anything else."""
    if not isinstance(term, BinaryExpression) or term.__visit_name__ != "binary":
        return None, None
    if term.operator is operators.in_op:
        return term.left, term.right
    if term.operator is not operators.eq:
        return None, None
    return (term.right, term.left) if isinstance(term.left, BindParameter) else (term.left, term.right)


def owner_of(column: Any, source: Any) -> Any:
    """``source`` if the column is its own, annotated or not."""
    owner = column.table
    return source if owner is source or (hash(owner) == hash(source) and owner == source) else owner
