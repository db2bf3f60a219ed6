"""Which rows and columns a statement that SQLAlchemy compiled reads or writes: read off its final form, once.

The final form is what the compiler rendered: `compiled.compile_state.statement`, for an ORM query the Core SELECT
that came out of it, with loader options, criteria and polymorphic joins. Only elements that are known here are
reasoned about; with any other in it (text, literal SQL, a function as a table, LATERAL, a hint, an element of the
application's own) the statement keeps the grain of the table.

What binds an occurrence of a relation, that is a table or an alias in a FROM:

- ``column = :value`` and ``column IN (:values)`` in the top-level AND of WHERE, unless the occurrence is on the
  nullable side of an outer join;
- the same in the ON of an inner join, and in that of LEFT JOIN for what stands right of it;
- ``column = other.column`` in these places, if the other column is bound: rows that match none that counts do not
  count either.

A subquery in FROM is read like a statement of its own. Any other one (EXISTS, scalar, IN, CTE) looks at all rows
of what it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from sqlalchemy import types
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import (
    BinaryExpression,
    BindParameter,
    BooleanClauseList,
    ColumnElement,
    Grouping,
    Null,
)
from sqlalchemy.sql.schema import Column as SchemaColumn
from sqlalchemy.sql.schema import Table
from sqlalchemy.sql.selectable import (
    CTE,
    Alias,
    CompoundSelect,
    FromClause,
    FromGrouping,
    Join,
    Lateral,
    Select,
    SelectStatementGrouping,
    Subquery,
)

from steinmetz.sql.facts import Columns, Relation, StatementFacts, Stored
from steinmetz.sql.rows import Column, Kind
from steinmetz.sql.templates import Bind, Occurrence, ReadTemplate, WriteTemplate

log = structlog.get_logger("steinmetz.sql")

_KNOWN = frozenset(
    {"alias", "between", "binary", "bindparam", "case", "cast", "clauselist", "collation", "column",
     "compound_select", "cte", "expression_clauselist", "extract", "false", "for_update_arg", "from_grouping",
     "function", "funcfilter", "grouping", "join", "label", "label_reference", "null", "over", "select",
     "select_statement_grouping", "subquery", "table", "textual_label_reference", "true", "tuple",
     "type_coerce", "typeclause", "type_clause", "unary", "withingroup"}
)  # fmt: skip
"""What elements call themselves (`__visit_name__`), as far as they mean what is read off them here."""
_RAW_PARTS = ("_prefixes", "_suffixes", "_hints", "_statement_hints")
"""Where a SELECT takes text."""
_NUMBER = re.compile(r"[\d\s.,+-]*")
_STORED = {
    Kind.INTEGER: {Stored.INTEGER, Stored.ROWID},
    Kind.TEXT: {Stored.TEXT},
    Kind.UUID: {Stored.UUID, Stored.TEXT},
    Kind.BOOLEAN: {Stored.BOOLEAN},
}
_TYPES: tuple[tuple[type[Any], Kind], ...] = (
    (types.Integer, Kind.INTEGER),
    (types.Uuid, Kind.UUID),
    (types.Boolean, Kind.BOOLEAN),
    (types.String, Kind.TEXT),
)


class _Uncertain(Exception):  # noqa: N818  it is a state of affairs, not an error
    """The statement has something in it that is not reasoned about here."""


def described(facts: StatementFacts, compiled: Any) -> StatementFacts:
    """``facts`` with the rows that ``compiled``, the statement's own compiled object, says it reads or writes.

    The result holds for this compiled object alone, for two with one text may name their parameters differently.
    """
    if compiled is None or not facts.direct:
        return facts
    try:
        if facts.is_write:
            changes = _Writing(facts, compiled).template()
            return facts if changes is None else replace(facts, changes=changes)
        looks_at = _Reading(facts, compiled).template()
        return facts if looks_at is None else replace(facts, looks_at=looks_at)
    except _Uncertain:
        return facts
    except Exception as error:  # another SQLAlchemy: the grain of the table needs nothing of it
        log.debug("The rows of a statement could not be told", statement=facts.text, error=repr(error))
        return facts


@dataclass(eq=False, slots=True)
class _Place:
    """One occurrence while it is being read: ``source`` is what stands in FROM."""

    source: FromClause
    relations: tuple[Relation, ...]
    bound: dict[str, tuple[Kind, Bind]] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class _Term:
    """One conjunct, and the occurrences that it may bind."""

    expression: ColumnElement[Any]
    places: list[_Place]


class _Names:
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

    def is_same_kind(self, element: Any, kind: Kind) -> bool:
        return kind_of(element.type, self.compiled.dialect) is kind

    def _columns(self, relation: Relation) -> Mapping[str, Stored]:
        return self.facts.direct.get(relation, Columns({})).stored


def kind_of(type_: Any, dialect: Any) -> Kind | None:
    """What a SQLAlchemy type makes of Python values; None for whatever may convert them in its own way."""
    implementation = type_.dialect_impl(dialect)
    for one in (type_, implementation):
        if not type(one).__module__.startswith("sqlalchemy.") or isinstance(one, types.TypeDecorator | types.Enum):
            return None
    if getattr(implementation, "_has_bind_expression", True):
        return None
    return next(
        (kind for known, kind in _TYPES if isinstance(type_, known) and isinstance(implementation, known)), None
    )


class _Reading:
    """Takes a SELECT apart."""

    def __init__(self, facts: StatementFacts, compiled: Any) -> None:
        self.names = _Names(facts, compiled)
        self.places: list[_Place] = []
        self.columns: dict[FromClause, set[str]] = {}
        self._level: list[_Place] = []  # of the SELECT that is being read, without its subqueries
        self._all_columns = False

    def template(self) -> ReadTemplate | None:
        statement = self.names.compiled.compile_state.statement
        if isinstance(statement, CompoundSelect):
            self._compound(statement)
        elif isinstance(statement, Select):
            self._select(statement)
        else:
            return None
        sources = {place.source for place in self.places}
        if any(_is_table(owner) and owner not in sources for owner in self.columns):
            self._all_columns = True  # a column of an occurrence that was not seen
        occurrences = [self._occurrence(place, each) for place in self.places for each in place.relations]
        return ReadTemplate(occurrences, self.names.facts.reads) if occurrences else None

    def _occurrence(self, place: _Place, relation: Relation) -> Occurrence:
        columns = None if self._all_columns else self.columns.get(place.source, set())
        bound = tuple((Column(name, kind), bind) for name, (kind, bind) in sorted(place.bound.items()))
        return Occurrence(relation, bound, None if columns is None else frozenset(columns))

    # -- statements

    def _compound(self, statement: CompoundSelect[Any]) -> None:
        for part in statement.selects:
            inner: Any = part
            while isinstance(inner, SelectStatementGrouping):
                inner = inner.element
            if isinstance(inner, CompoundSelect):
                self._compound(inner)
            elif isinstance(inner, Select):
                self._select(inner)
            else:
                raise _Uncertain
        # ORDER BY and LIMIT of the whole go by its columns, which are those of its parts.
        self._look_over([*statement._order_by_clauses, *statement._group_by_clauses])

    def _select(self, statement: Select[Any]) -> None:
        outer, self._level = self._level, []
        sources = statement.get_final_froms()
        terms: list[_Term] = []
        certain = [place for source in sources for place in self._from(source, terms)]
        terms += [_Term(each, certain) for each in _conjuncts(statement._where_criteria)]
        self._bind(terms)
        taken_apart = [statement, *(inner for source in sources for inner in _subqueries_in(source))]
        self._look_over([statement, *sources], taken_apart)
        self._level = outer

    def _from(self, source: Any, terms: list[_Term]) -> list[_Place]:
        """Note the occurrences in one FROM; returns those whose rows WHERE may bind, as no join supplies NULLs."""
        if isinstance(source, FromGrouping):
            return self._from(source.element, terms)
        if isinstance(source, Join):
            left = self._from(source.left, terms)
            right = self._from(source.right, terms)
            if source.full:
                return []
            conjuncts = _conjuncts([source.onclause] if source.onclause is not None else [])
            binds = right if source.isouter else left + right
            terms += [_Term(each, binds) for each in conjuncts]
            return left if source.isouter else left + right
        if isinstance(source, Lateral):
            raise _Uncertain
        if _is_table(source):
            place = self._place(source)
            self._level.append(place)
            return [place]
        if isinstance(source, CTE):
            return []  # its own statement is seen by `_look_over`
        if isinstance(source, Subquery):
            self._compound_or_select(source.element)
            return []
        raise _Uncertain

    def _place(self, source: Any) -> _Place:
        table: Any = source.element if isinstance(source, Alias) else source
        place = _Place(source, self.names.relations(table))
        self.places.append(place)
        return place

    def _compound_or_select(self, element: Any) -> None:
        while isinstance(element, SelectStatementGrouping):
            element = element.element
        if isinstance(element, CompoundSelect):
            self._compound(element)
        elif isinstance(element, Select):
            self._select(element)
        else:
            raise _Uncertain

    # -- what binds

    def _bind(self, terms: list[_Term]) -> None:
        linked = []
        for term in terms:
            left, right = _sides(term.expression)
            if isinstance(left, SchemaColumn) and isinstance(right, SchemaColumn):
                linked += [(left, right, term), (right, left, term)]
            elif isinstance(left, SchemaColumn) and isinstance(right, BindParameter):
                self._bind_to(left, right, term)
        moved = True
        while moved:
            moved = False
            for column, other, term in linked:
                moved = self._link(column, other, term) or moved

    def _bind_to(self, column: SchemaColumn[Any], value: BindParameter[Any], term: _Term) -> None:
        place = next((each for each in term.places if each.source is _owner(column, each.source)), None)
        many = term.expression.operator is operators.in_op
        name = self.names.bind(value)
        if place is None or name is None or bool(value.expanding) is not many:
            return
        kind = self.names.kind(column, place.relations)
        if kind is not None and self.names.is_same_kind(value, kind):
            place.bound.setdefault(self.names.fold(column.name), (kind, Bind(name, many)))

    def _link(self, column: SchemaColumn[Any], other: SchemaColumn[Any], term: _Term) -> bool:
        """Bind ``column`` as ``other`` is bound, to which it must be equal; whether that is new."""
        place = next((each for each in term.places if each.source is _owner(column, each.source)), None)
        name = self.names.fold(column.name)
        if place is None or name in place.bound:
            return False
        source = next((each for each in self._level if each.source is _owner(other, each.source)), None)
        bound = source.bound.get(self.names.fold(other.name)) if source is not None else None
        if bound is None or self.names.kind(column, place.relations) is not bound[0]:
            return False
        place.bound[name] = bound
        return True

    # -- what is mentioned

    def _look_over(self, elements: Iterable[Any], taken_apart: Sequence[Any] = ()) -> None:
        """Note every column that is mentioned, and every relation of a subquery that was not taken apart."""
        queue = list(elements)
        seen: dict[int, Any] = {}  # kept, so that no other element gets an address of theirs
        apart = {id(each) for each in taken_apart}
        stars: set[int] = set()
        while queue:
            for each in visitors.iterate(queue.pop()):
                element: Any = each
                if id(element) in seen:
                    continue
                seen[id(element)] = element
                name = element.__visit_name__
                if name not in _KNOWN:
                    raise _Uncertain
                if name == "function" and str(element.name).lower() == "count":
                    stars.update(id(inner) for inner in visitors.iterate(element))
                elif name == "column":
                    self._mention(element, id(element) in stars)
                elif name == "textual_label_reference":
                    self._all_columns = True  # perhaps a column that is not selected
                elif name == "select":
                    if any(getattr(element, part) for part in _RAW_PARTS):
                        raise _Uncertain
                    self._mention_whole(element)
                    if id(element) not in apart:
                        # With what it correlates to, so these may be some too many.
                        sources = element.get_final_froms()
                        queue += sources
                        for source in sources:
                            self._place_loosely(source)

    def _mention(self, column: Any, is_counted: bool) -> None:
        if getattr(column, "is_literal", False):
            word = str(column.name)
            if not (is_counted and word == "*") and not _NUMBER.fullmatch(word):
                raise _Uncertain
            return
        owner = getattr(column, "table", None)
        if owner is None:
            raise _Uncertain
        if getattr(column, "system", False):
            self._all_columns = True  # xmin, ctid: every write changes them
        self._add(owner, self.names.fold(column.name))

    def _mention_whole(self, statement: Select[Any]) -> None:
        """``select(table)`` names a table for its columns."""
        for raw in statement._raw_columns:
            if isinstance(raw, FromClause):
                for column in raw.c:
                    self._add(raw, self.names.fold(column.name))

    def _add(self, owner: FromClause, name: str) -> None:
        self.columns.setdefault(owner, set()).add(name)

    def _place_loosely(self, source: Any) -> None:
        """Occurrences that nothing binds."""
        if isinstance(source, FromGrouping):
            self._place_loosely(source.element)
        elif isinstance(source, Join):
            self._place_loosely(source.left)
            self._place_loosely(source.right)
        elif _is_table(source):
            self._place(source)
        elif isinstance(source, Lateral) or not isinstance(source, CTE | Subquery):
            raise _Uncertain


class _Writing:
    """Takes an INSERT, UPDATE or DELETE apart."""

    def __init__(self, facts: StatementFacts, compiled: Any) -> None:
        self.names = _Names(facts, compiled)
        self.compiled = compiled
        self.state = compiled.compile_state
        self.statement = self.state.statement
        self.relation: Relation | None = None

    def template(self) -> WriteTemplate | None:
        statement, table = self.statement, self.statement.table
        if not isinstance(table, Table) or any(
            getattr(statement, part, None)
            for part in ("_prefixes", "_hints", "_independent_ctes", "_select_names")
        ):
            return None  # OR REPLACE, INSERT ... SELECT
        if any(getattr(statement, part, None) is not None for part in ("_post_values_clause", "select")):
            return None  # ON CONFLICT
        relations = self.names.relations(table)
        if len(relations) != 1 or self._nests_a_write():
            return None
        self.relation = relations[0]
        if statement.is_insert:
            return self._insert(table)
        if statement.is_update:
            return self._update(table)
        if statement.is_delete:
            return self._template([(column, (bind,)) for column, bind in self._where(table).items()], None)
        return None

    def _nests_a_write(self) -> bool:
        return any(
            element is not self.statement and element.__visit_name__ in ("insert", "update", "delete", "cte")
            for element in visitors.iterate(self.statement)
        )

    def _template(
        self,
        bound: Sequence[tuple[Column, tuple[Bind, ...]]],
        assigned: frozenset[str] | None,
        generated: Sequence[tuple[Column, int]] = (),
    ) -> WriteTemplate | None:
        assert self.relation is not None
        if not bound and assigned is None and not generated:
            return None
        return WriteTemplate(self.relation, self.names.facts.writes, bound, assigned, generated)

    def _insert(self, table: Table) -> WriteTemplate | None:
        if self.state._has_multi_parameters:
            return None
        values = self._values(table, [*self.compiled.insert_prefetch])
        generated = [
            (column, place)
            for place, key in enumerate(table.primary_key)
            if (column := self._column(key)) is not None and column not in values and self._is_told(key)
        ]
        return self._template([(column, (bind,)) for column, bind in values.items()], None, generated)

    def _is_told(self, key: Any) -> bool:
        """Whether the primary key that SQLAlchemy learns of a row is certainly that in the database."""
        assert self.relation is not None
        stored = self.names.stored(key, self.relation)
        return stored is Stored.ROWID or self.compiled.dialect.name != "sqlite"

    def _update(self, table: Table) -> WriteTemplate | None:
        assert self.relation is not None
        assigned = self._assigned(table)
        values = self._values(table, [*self.compiled.update_prefetch])
        bound: list[tuple[Column, tuple[Bind, ...]]] = []
        for column, bind in self._where(table).items():
            if column.name not in assigned:
                bound.append((column, (bind,)))
            elif column in values:
                bound.append((column, (bind, values[column])))
        computed = self.names.facts.direct[self.relation].computed
        return self._template(bound, None if computed else frozenset(assigned))

    def _where(self, table: Table) -> dict[Column, Bind]:
        """The columns of the table itself that WHERE binds; what else is joined only leaves fewer rows."""
        found: dict[Column, Bind] = {}
        for term in _conjuncts(self.statement._where_criteria):
            left, right = _sides(term)
            if not isinstance(left, SchemaColumn) or not isinstance(right, BindParameter):
                continue
            column, name = self._column(left), self.names.bind(right)
            many = term.operator is operators.in_op
            if (
                column is not None
                and name is not None
                and _owner(left, table) is table
                and bool(right.expanding) is many
                and self.names.is_same_kind(right, column.kind)
            ):
                found.setdefault(column, Bind(name, many))
        return found

    def _column(self, column: Any) -> Column | None:
        assert self.relation is not None
        kind = self.names.kind(column, [self.relation])
        return None if kind is None else Column(self.names.fold(column.name), kind)

    def _assigned(self, table: Table) -> set[str]:
        """The columns that SET may name; some too many do no harm."""
        given = {str(getattr(key, "key", key)) for key in self.state._dict_parameters or ()}
        keys = self.compiled.column_keys
        every = keys is None and not given
        given.update(str(key) for key in keys or ())
        return {
            self.names.fold(column.name)
            for column in table.c
            if every or column.key in given or column.onupdate is not None or column.server_onupdate is not None
        }

    def _values(self, table: Table, prefetched: Sequence[Any]) -> dict[Column, Bind]:
        """The columns whose new value is a bound parameter."""
        given = {getattr(key, "key", key): value for key, value in (self.state._dict_parameters or {}).items()}
        keys = self.compiled.column_keys
        binds = self.compiled.binds
        names = set(self.compiled.bind_names.values())
        found: dict[Column, Bind] = {}
        for schema_column in table.c:
            key = schema_column.key
            if key in given:
                value = given[key]
                if not isinstance(value, BindParameter):
                    continue
                name = key if value.unique else value.key
            elif (keys is not None and key in keys) or any(each is schema_column for each in prefetched):
                name = key
            else:
                continue
            column = self._column(schema_column)
            if column is None or name not in names or not self.names.is_same_kind(binds[name], column.kind):
                continue
            found[column] = Bind(name, or_null=self._keeps_null(schema_column))
        return found

    def _keeps_null(self, column: Any) -> bool:
        assert self.relation is not None
        return not column.primary_key and self.names.stored(column, self.relation) is not Stored.ROWID


def _conjuncts(criteria: Iterable[Any]) -> Iterator[Any]:
    for each in criteria:
        element = each
        while isinstance(element, Grouping):
            element = element.element
        if isinstance(element, BooleanClauseList):
            if element.operator is operators.and_:
                yield from _conjuncts(element.clauses)
        elif element is not None and not isinstance(element, Null):
            yield element


def _sides(term: Any) -> tuple[Any, Any]:
    """The sides of an equality or of IN, the column first; (None, None) for anything else."""
    if not isinstance(term, BinaryExpression) or term.__visit_name__ != "binary":
        return None, None
    if term.operator is operators.in_op:
        return term.left, term.right
    if term.operator is not operators.eq:
        return None, None
    return (term.right, term.left) if isinstance(term.left, BindParameter) else (term.left, term.right)


def _owner(column: Any, source: Any) -> Any:
    """``source`` if the column is its own, annotated or not."""
    owner = column.table
    return source if owner is source or (hash(owner) == hash(source) and owner == source) else owner


def _subqueries_in(source: Any) -> Iterator[Any]:
    """The SELECTs of one FROM that were read like statements of their own."""
    if isinstance(source, FromGrouping):
        yield from _subqueries_in(source.element)
    elif isinstance(source, Join):
        yield from _subqueries_in(source.left)
        yield from _subqueries_in(source.right)
    elif isinstance(source, Subquery):
        yield from _selects_in(source.element)


def _selects_in(element: Any) -> Iterator[Any]:
    while isinstance(element, SelectStatementGrouping):
        element = element.element
    if isinstance(element, CompoundSelect):
        for part in element.selects:
            yield from _selects_in(part)
    else:
        yield element
        for source in element.get_final_froms():
            yield from _subqueries_in(source)


def _is_table(source: Any) -> bool:
    """Whether it is an occurrence of a table: the table itself, or an alias of it."""
    return isinstance(source.element if isinstance(source, Alias) else source, Table)
