"""Which column each bind of a compiled statement belongs to, read from the statement itself.

A bind has an origin only if every place where it stands says so: it is compared directly to a column of a table,
it is assigned to one, or it is a LIMIT. Within a function, an expression, a tuple, a JSON path, a CASE or a column
of a subquery nothing is certain, and what is not certain is hidden by `steinmetz.monitor.analysis.redaction`.
"""

from __future__ import annotations

import re
import sys
import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from sqlalchemy import JSON, Column, Table, TextClause, TypeDecorator
from sqlalchemy.orm import Mapper, SynonymProperty
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BindParameter, ColumnClause
from sqlalchemy.sql.selectable import Alias, TableClause
from sqlalchemy.types import ARRAY, TypeEngine

_COMPARISONS = frozenset(
    {operators.eq, operators.ne, operators.lt, operators.le, operators.gt, operators.ge, operators.in_op,
     operators.not_in_op, operators.like_op, operators.not_like_op, operators.ilike_op, operators.not_ilike_op,
     operators.is_, operators.is_not, operators.is_distinct_from, operators.is_not_distinct_from}
)  # fmt: skip
_RANGES = frozenset({operators.between_op, operators.not_between_op})
_ELEMENTS = 20_000
"""A statement with more elements is not read; nothing of it is certain then."""
_NOT_THE_APPLICATIONS = ("sqlalchemy.", "builtins", "typing")
_WORD = re.compile(r"\w+")
_NUMBERED_ROW = re.compile(r"_m\d+$")
_AFTER = r"(?=\s*(?:$|[);,]|AND\b|OR\b|WHERE\b|ORDER\b|GROUP\b|LIMIT\b|OFFSET\b|RETURNING\b))"
_BIND = re.compile(r"(?<![:\w]):(\w+)")
_COMPARED = re.compile(
    r"(?:\bWHERE|\bAND|\bOR|\bON|\bHAVING|\bSET|[(,])\s*(?:\w+\.)*(\w+)\s*(?:=|<>|!=|[<>]=?|LIKE|ILIKE)\s*:(\w+)\b"
    + _AFTER,
    re.IGNORECASE,
)
_COUNTED = re.compile(r"(?:\bLIMIT|\bOFFSET)\s+:(\w+)\b" + _AFTER, re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a bound value belongs.

    ``column`` is the column's name. ``names`` are all names that tell what it holds: its key, the attributes
    mapped to it, its table, its type. ``secret`` says that the model declares it (``info={"sensitive": True}``);
    ``structured`` that the value may hold anything (JSON, arrays); ``by_text`` that a text() names the column,
    which may be an alias of another.
    """

    column: str
    names: frozenset[str] = frozenset()
    secret: bool = False
    structured: bool = False
    by_text: bool = False


@dataclass(slots=True)
class Origins:
    """The origins of one compiled statement by bind name, and the names of all columns in it."""

    by_bind: dict[str, Origin] = field(default_factory=dict)
    mentioned: frozenset[str] = frozenset()
    """Names that the text does not show, such as the attributes mapped to its columns."""
    secret: bool = False
    """Whether any column in it is declared as sensitive."""


_remembered: weakref.WeakKeyDictionary[Any, Origins] = weakref.WeakKeyDictionary()


def origins_of(compiled: Any) -> Origins:
    """The origins of ``compiled``'s binds, worked out once for each compiled statement."""
    found = _remembered.get(compiled)
    if found is None:
        if not getattr(compiled, "bind_names", None):  # DDL, or nothing is bound
            return Origins()
        found = _remembered[compiled] = _Reading(compiled).origins()
    return found


class _Reading:
    """One walk over the elements of a statement."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled
        self._certain: dict[str, list[Origin]] = {}
        self._seen: dict[str, int] = {}
        self._counts: set[str] = set()
        self._mentioned: set[str] = set()
        self._secret = False
        self._attributes = _attributes()

    def origins(self) -> Origins:
        statement = self._compiled.statement
        inner = getattr(getattr(self._compiled, "compile_state", None), "statement", None)
        complete = True
        for part in (statement, inner if inner is not statement else None):
            if part is not None:
                complete = self._walk(part) and complete
        target = getattr(statement, "table", None)
        columns: Mapping[str, Any] = target.c if getattr(statement, "is_dml", False) and target is not None else {}
        for column in columns.values():
            self._mention(column)
        result = Origins(mentioned=frozenset(self._mentioned), secret=self._secret)
        if complete:
            for bind, name in self._compiled.bind_names.items():
                origin = self._assigned(str(name), columns) if _is_assigned(bind) else self._compared(bind)
                if origin is not None:
                    result.by_bind[str(name)] = _with_type(origin, bind.type)
        return result

    def _walk(self, statement: Any) -> bool:
        """Read all elements; False if there are too many."""
        elements = list(islice(visitors.iterate(statement), _ELEMENTS + 1))
        if len(elements) > _ELEMENTS:
            return False
        for element in elements:
            match element:
                case BindParameter():
                    key = str(element.key)
                    self._seen[key] = self._seen.get(key, 0) + 1
                    if type(element).__name__ == "_OffsetLimitParam":
                        self._note(element, Origin("limit"))
                case BinaryExpression():
                    self._comparison(element)
                case TextClause():
                    self._text(element)
                case ColumnClause():
                    self._mention(element)
                case _:
                    pass
        return True

    def _comparison(self, comparison: BinaryExpression[Any]) -> None:
        left, right = _plain(comparison.left), _plain(comparison.right)
        if comparison.operator in _RANGES:
            bounds = [_plain(bound) for bound in getattr(right, "clauses", ())]
        elif comparison.operator in _COMPARISONS:
            if isinstance(left, BindParameter):
                left, right = right, left
            bounds = [right]
        else:
            return
        origin = self._origin(left)
        if origin is not None:
            for bound in bounds:
                if isinstance(bound, BindParameter):
                    self._note(bound, origin)

    def _text(self, text: TextClause) -> None:
        """``:name`` after a column and an operator, at each place where it stands."""
        words = {word.lower() for word in _WORD.findall(text.text)}
        for column in _modelled():
            if str(column.name).lower() in words:
                self._mention(column)
        places = Counter(_BIND.findall(text.text))
        counted = Counter(_COUNTED.findall(text.text))
        compared: dict[str, list[str]] = {}
        for column_name, name in _COMPARED.findall(text.text):
            compared.setdefault(name, []).append(column_name)
        for name, bind in text._bindparams.items():
            found = compared.get(name, [])
            if places[name] and places[name] == len(found) + counted[name]:
                self._note(bind, self._origin_by_text(name, found))

    def _origin_by_text(self, name: str, compared: Sequence[str]) -> Origin:
        """What the models say of all columns that are called so, in whichever table."""
        if not compared:
            return Origin("limit", frozenset({name}))
        origins = [
            _origin_of(column, compared[0], self._attributes)  # its table is another's, or is in the text
            for column in _modelled()
            if str(column.name).lower() in {each.lower() for each in compared}
        ]
        return Origin(
            compared[0],
            frozenset({name, *compared, *(each for origin in origins for each in origin.names)}),
            secret=any(origin.secret for origin in origins),
            structured=any(origin.structured for origin in origins),
            by_text=True,
        )

    def _note(self, bind: BindParameter[Any], origin: Origin) -> None:
        self._certain.setdefault(str(bind.key), []).append(origin)

    def _origin(self, column: Any) -> Origin | None:
        """The origin that a column of a table is; None for whatever else stands in its place."""
        if not isinstance(column, ColumnClause) or column.is_literal:
            return None
        table = column.table
        while isinstance(table, Alias):
            table = table.element
        if not isinstance(table, TableClause):
            return None
        return _origin_of(column, str(table.name), self._attributes)

    def _mention(self, column: ColumnClause[Any]) -> None:
        names = {str(column.name), str(column.key), *_type_names(column.type)}
        for base in column.proxy_set:
            if isinstance(base, Column):
                names |= {str(base.name), str(base.key), *self._attributes.get(base, ())}
                self._secret = self._secret or _is_declared(base)
        self._mentioned |= names

    def _compared(self, bind: BindParameter[Any]) -> Origin | None:
        certain = self._certain.get(str(bind.key), [])
        if not certain or len(certain) != self._seen.get(str(bind.key)):
            return None
        names = frozenset(name for origin in certain for name in (origin.column, *origin.names))
        if not bind.unique:
            names |= {str(bind.key)}  # the programmer's own word for it
        return Origin(
            certain[0].column,
            names,
            secret=any(origin.secret for origin in certain),
            structured=any(origin.structured for origin in certain),
            by_text=any(origin.by_text for origin in certain),
        )

    def _assigned(self, name: str, columns: Mapping[str, Any]) -> Origin | None:
        """SQLAlchemy names a bind of its own after the column that it is assigned to, ``_m3`` for another row."""
        found = [columns[key] for key in {name, _NUMBERED_ROW.sub("", name)} if key in columns]
        origins = [_origin_of(column, str(column.table.name), self._attributes) for column in found]
        if not origins:
            return None
        return Origin(
            origins[0].column,
            frozenset(name for origin in origins for name in (origin.column, *origin.names)),
            secret=any(origin.secret for origin in origins),
            structured=any(origin.structured for origin in origins),
        )


def _plain(element: Any) -> Any:
    """``element`` without the parentheses around it."""
    while getattr(element, "__visit_name__", "") == "grouping" and isinstance(element.element, BindParameter):
        element = element.element
    return element


def _is_assigned(bind: BindParameter[Any]) -> bool:
    """Whether SQLAlchemy made it for VALUES or SET; never, should that private mark be gone."""
    return bool(getattr(bind, "_is_crud", False))


def _is_declared(column: Any) -> bool:
    return bool(getattr(column, "info", {}).get("sensitive"))


def _origin_of(column: Any, table: str, attributes: Mapping[Any, Iterable[str]]) -> Origin:
    names = {str(column.name), str(column.key), table, *_type_names(column.type)}
    secret = False
    for base in column.proxy_set:
        if isinstance(base, Column):
            names |= {str(base.name), str(base.key), *attributes.get(base, ())}
            secret = secret or _is_declared(base)
    return Origin(str(column.name), frozenset(names), secret, _is_structured(column.type))


def _with_type(origin: Origin, bound: TypeEngine[Any]) -> Origin:
    names, structured = origin.names | _type_names(bound), origin.structured or _is_structured(bound)
    return replace(origin, names=names, structured=structured)


def _type_names(kind: TypeEngine[Any]) -> frozenset[str]:
    """The names of the application's own types: ``EncryptedString`` says what it holds."""
    own = (each for each in type(kind).__mro__ if not each.__module__.startswith(_NOT_THE_APPLICATIONS))
    return frozenset(each.__name__ for each in own)


def _is_structured(kind: TypeEngine[Any]) -> bool:
    inner: Any = kind
    while isinstance(inner, TypeDecorator):
        inner = inner.impl
    return isinstance(inner, (JSON, ARRAY)) or inner.__visit_name__ in ("HSTORE", "composite", "XML")


class _Attributes:
    """The names that mapped classes have for their columns, by column: for all of them, until there are more."""

    def __init__(self) -> None:
        self._kept: tuple[tuple[tuple[weakref.ref[Any], int, int], ...], Mapping[Any, set[str]]] = (), {}

    def __call__(self) -> Mapping[Any, set[str]]:
        mappers = [mapper for registry in _registries() for mapper in list(registry.mappers)]
        there_are = tuple((weakref.ref(each), len(each.columns), len(_properties(each))) for each in mappers)
        there_were, known = self._kept
        if there_are == there_were:
            return known
        names: dict[Any, set[str]] = {}
        for mapper in mappers:
            for attribute, column in _mapped(mapper):
                names.setdefault(column, set()).add(attribute)
        self._kept = there_are, names
        return names


_attributes = _Attributes()


def _modelled() -> Iterator[Any]:
    """The columns of all tables that belong to a registry, mapped or not."""
    for registry in _registries():
        for table in list(registry.metadata.tables.values()):
            yield from table.c


def _mapped(mapper: Any) -> Iterable[tuple[str, Any]]:
    """The attributes of a mapped class with their columns, whether its mapper is configured yet or not."""
    for attribute, column in mapper.columns.items():
        if isinstance(column, Column) and isinstance(column.table, Table):
            yield str(attribute), column
    for name, property_ in list(_properties(mapper).items()):
        if isinstance(property_, SynonymProperty) and isinstance(mapper.columns.get(property_.name), Column):
            yield str(name), mapper.columns[property_.name]


def _properties(mapper: Any) -> Mapping[str, Any]:
    """What the class has mapped beside its columns; nothing, should SQLAlchemy's private name for it be gone."""
    found: Mapping[str, Any] = getattr(mapper, "_props", {})
    return found


def _registries() -> Iterable[Any]:
    """All declarative registries; none, should SQLAlchemy's private list of them be gone."""
    listed = getattr(sys.modules[Mapper.__module__], "_all_registries", None)
    return listed() if listed is not None else ()
