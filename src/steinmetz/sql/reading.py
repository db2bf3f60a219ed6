"""Which rows and columns a compiled SELECT looks at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BindParameter, ColumnElement
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

from steinmetz.sql.facts import Relation, StatementFacts
from steinmetz.sql.rows import Column, Kind
from steinmetz.sql.templates import Bind, Occurrence, ReadTemplate
from steinmetz.sql.terms import Names, Uncertain, conjuncts, owner_of, sides

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


class Reading:
    """Takes a SELECT apart."""

    def __init__(self, facts: StatementFacts, compiled: Any) -> None:
        self.names = Names(facts, compiled)
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
        if columns is not None and not self.names.are_columns(columns, relation):
            columns = None  # ctid, rowid, or a function that is written like a column
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
                raise Uncertain
        # ORDER BY and LIMIT of the whole go by its columns, which are those of its parts.
        self._look_over([*statement._order_by_clauses, *statement._group_by_clauses])

    def _select(self, statement: Select[Any]) -> None:
        outer, self._level = self._level, []
        sources = statement.get_final_froms()
        terms: list[_Term] = []
        certain = [place for source in sources for place in self._from(source, terms)]
        terms += [_Term(each, certain) for each in conjuncts(statement._where_criteria)]
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
            binds = right if source.isouter else left + right
            terms += [_Term(each, binds) for each in conjuncts([source.onclause])]
            return left if source.isouter else left + right
        if isinstance(source, Lateral):
            raise Uncertain
        if _is_table(source):
            place = self._place(source)
            self._level.append(place)
            return [place]
        if isinstance(source, CTE):
            return []  # its own statement is seen by `_look_over`
        if isinstance(source, Subquery):
            self._compound_or_select(source.element)
            return []
        raise Uncertain

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
            raise Uncertain

    # -- what binds

    def _bind(self, terms: list[_Term]) -> None:
        linked = []
        for term in terms:
            left, right = sides(term.expression)
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
        place = next((each for each in term.places if each.source is owner_of(column, each.source)), None)
        many = term.expression.operator is operators.in_op
        name = self.names.bind(value)
        if place is None or name is None or bool(value.expanding) is not many:
            return
        kind = self.names.kind(column, place.relations)
        if kind is not None and self.names.is_same_kind(value, kind):
            place.bound.setdefault(self.names.fold(column.name), (kind, Bind(name, many)))

    def _link(self, column: SchemaColumn[Any], other: SchemaColumn[Any], term: _Term) -> bool:
        """Bind ``column`` as ``other`` is bound, to which it must be equal; whether that is new."""
        place = next((each for each in term.places if each.source is owner_of(column, each.source)), None)
        name = self.names.fold(column.name)
        if place is None or name in place.bound:
            return False
        source = next((each for each in self._level if each.source is owner_of(other, each.source)), None)
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
                    raise Uncertain
                if name == "function" and str(element.name).lower() == "count":
                    stars.update(id(inner) for inner in visitors.iterate(element))
                elif name == "column":
                    self._mention(element, id(element) in stars)
                elif name == "textual_label_reference":
                    self._all_columns = True  # perhaps a column that is not selected
                elif name == "select":
                    if any(getattr(element, part) for part in _RAW_PARTS):
                        raise Uncertain
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
                raise Uncertain
            return
        owner = getattr(column, "table", None)
        if owner is None:
            raise Uncertain
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
            raise Uncertain


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
