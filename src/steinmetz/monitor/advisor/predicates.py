"""What a statement asks of each table: by which columns it finds rows, joins, orders and groups them.

Read with sqlglot, for both engines. What cannot be read is said (`Unreadable`), never passed over: such a
statement gets no candidates of its own, but is still asked about all of the others'.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice, product
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

MAX_BRANCHES = 8
"""Alternatives of OR that are told apart in one statement."""
MAX_LENGTH = 50_000
"""Longer texts are batches; they are not read."""

Columns = Mapping[str, frozenset[str]]
"""The columns of each table, by its name."""


class Unreadable(Exception):  # noqa: N818  the sentence reads better
    """The statement cannot be read; the message says why, without values."""


class Kind(StrEnum):
    """How a condition narrows a column."""

    EQUAL = "equal"
    IN = "in"
    IS_NULL = "is null"
    RANGE = "range"
    PREFIX = "prefix"
    JOIN = "join"
    """Equal to a column of another table, or of a subquery's result."""


@dataclass(frozen=True, slots=True)
class Term:
    """One condition. ``key`` is a column, or an expression over one (``lower(email)``).

    ``bind`` is the placeholder it is compared to (position from 0, or name), ``literal`` the constant, as SQL.
    """

    key: str
    kind: Kind
    is_expression: bool = False
    bind: int | str | None = None
    literal: str | None = None


@dataclass(frozen=True, slots=True)
class OrderKey:
    key: str
    descending: bool = False
    is_expression: bool = False


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One table at one place of a statement.

    ``branches`` are alternatives (of OR), each the conditions that hold together. ``order`` is the ORDER BY if
    this table alone decides it. ``columns`` are all that the place needs of the table; None means all of them.
    """

    table: str
    branches: tuple[tuple[Term, ...], ...]
    order: tuple[OrderKey, ...] = ()
    limited: bool = False
    group: tuple[str, ...] = ()
    extremes: tuple[str, ...] = ()
    """Columns of which only the smallest or largest value is wanted."""
    columns: frozenset[str] | None = None
    joined: bool = False
    """Whether other tables stand beside it in the same SELECT."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A statement as far as indexes matter. ``assigned`` are the columns that an UPDATE sets, None for all."""

    occurrences: tuple[Occurrence, ...]
    writes: str = ""
    assigned: frozenset[str] | None = field(default_factory=frozenset)


_PIECES = re.compile(
    r"""(?P<kept>'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | --[^\n]* | /\*.*?\*/
          | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$ | :: | (?<!:):[^\W\d]\w*)
      | (?P<dollar>\$\d+) | (?P<pyformat>%\(\w+\)s) | (?P<format>%s\b) | (?P<percent>%%) | (?P<mark>\?\d*)""",
    re.VERBOSE | re.DOTALL,
)
_BIND = "bind_"


def read(sql: str, dialect: str, columns: Columns) -> Reading:
    """Read ``sql``, a text that the driver takes, in ``dialect`` ("sqlite" or "postgresql").

    ``columns`` tells to which table an unqualified name belongs. Raises `Unreadable`.
    """
    if len(sql) > MAX_LENGTH:
        raise Unreadable(f"its text is longer than {MAX_LENGTH:,} characters")
    grammar = "postgres" if dialect.startswith("postgres") else dialect
    try:
        tree = parse_one(_with_named_binds(sql, grammar), read=grammar)
    except (SqlglotError, RecursionError) as error:
        raise Unreadable(f"its text is not understood ({type(error).__name__})") from None
    if isinstance(tree, exp.Command) or tree is None:
        raise Unreadable("it is a command")
    return _Reader(tree, grammar, columns).reading()


def _with_named_binds(sql: str, grammar: str) -> str:
    """Every placeholder as ``:bind_<position>`` or ``:<name>``, so that each can be found again in the tree."""
    position = -1

    def replace(match: re.Match[str]) -> str:
        nonlocal position
        text, kind = match[0], match.lastgroup
        if kind == "dollar":
            return f":{_BIND}{int(text[1:]) - 1}"
        if kind == "pyformat":
            return f":{text[2:-2]}"
        if kind == "percent":
            return "%"
        if kind == "mark" and grammar == "postgres":
            return text  # an operator of JSON
        if kind == "mark" and len(text) > 1:
            return f":{_BIND}{int(text[1:]) - 1}"
        if kind in ("mark", "format"):
            position += 1
            return f":{_BIND}{position}"
        return text

    return _PIECES.sub(replace, sql)


def bound_value(bind: int | str, values: Any) -> Any:
    """The value of a bind in a driver's parameters; None if it has none."""
    try:
        return values[bind]
    except (KeyError, IndexError, TypeError):
        return None


_Sources = dict[str, str]
"""Alias -> table, of one SELECT, UPDATE or DELETE."""


class _Reader:
    def __init__(self, tree: exp.Expr, grammar: str, columns: Columns) -> None:
        self._tree = tree
        self._grammar = grammar
        self._columns = {name.lower(): (name, names) for name, names in columns.items()}
        self._ctes = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
        self._sources: dict[int, _Sources] = {}
        self._scopes = list(tree.find_all(exp.Select, exp.Update, exp.Delete))
        for scope in self._scopes:
            self._sources[id(scope)] = self._sources_of(scope)

    def reading(self) -> Reading:
        occurrences = tuple(each for scope in self._scopes for each in self._occurrences(scope))
        target = (
            self._tree.this if isinstance(self._tree, exp.Insert | exp.Update | exp.Delete | exp.Merge) else None
        )
        if isinstance(target, exp.Schema):
            target = target.this
        writes = (self._table(target) or "") if isinstance(target, exp.Table) else ""
        assigned: frozenset[str] | None = None
        if isinstance(self._tree, exp.Update):
            assigned = frozenset(each.this.name for each in self._tree.expressions if isinstance(each, exp.EQ))
        return Reading(occurrences, writes, assigned if writes else frozenset())

    # -- whose is it

    def _table(self, table: exp.Table) -> str | None:
        """The name of a base table as the schema has it; None for a CTE, a function or an unknown one."""
        name = table.name
        if not table.db and name.lower() in self._ctes:
            return None
        qualified = f"{table.db}.{name}".lower() if table.db else name.lower()
        found = self._columns.get(qualified) or self._columns.get(name.lower())
        return found[0] if found else None

    def _sources_of(self, scope: exp.Expr) -> _Sources:
        found: _Sources = {}
        places = [scope.this] if isinstance(scope, exp.Update | exp.Delete) else []
        start = scope.args.get("from_") or scope.args.get("from")
        if start is not None:
            places.append(start.this)
        places += [join.this for join in scope.args.get("joins") or ()]
        while places:
            place = places.pop(0)
            if isinstance(place, exp.Table):
                table = self._table(place)
                if table is not None:
                    found[place.alias_or_name.lower()] = table
                places += [join.this for join in place.args.get("joins") or ()]
            elif isinstance(place, exp.Paren) or (
                isinstance(place, exp.Subquery) and isinstance(place.this, exp.Table)
            ):
                places.append(place.this)
        return found

    def _owner(self, column: exp.Column) -> tuple[int, str] | None:
        """The scope and the alias that a column belongs to, looked for from the inside out."""
        name, alias = column.name, column.table.lower()
        scope = column.find_ancestor(exp.Select, exp.Update, exp.Delete)
        while scope is not None:
            sources = self._sources[id(scope)]
            if alias:
                if alias in sources:
                    return id(scope), alias
            else:
                having = [each for each, table in sources.items() if name in self._columns[table.lower()][1]]
                if having:
                    return (id(scope), having[0]) if len(having) == 1 else None
            scope = scope.find_ancestor(exp.Select, exp.Update, exp.Delete)
        return None

    # -- what is asked of each

    def _occurrences(self, scope: exp.Expr) -> Iterator[Occurrence]:
        sources = self._sources[id(scope)]
        if not sources:
            return
        where = scope.args.get("where")
        shared = [
            part
            for join in self._joins(scope)
            if join.args.get("on") is not None
            for part in _conjuncts(join.args["on"])
        ]
        alternatives = _alternatives(where.this) if where is not None else [[]]
        is_select = isinstance(scope, exp.Select)
        for alias, table in sources.items():
            mine = (id(scope), alias)
            branches = []
            for alternative in alternatives:
                terms = dict.fromkeys(term for part in [*alternative, *shared] for term in self._terms(part, mine))
                branches.append(tuple(terms))
            yield Occurrence(
                table=table,
                branches=tuple(dict.fromkeys(branches)),
                order=self._ordering(scope, mine) if is_select else (),
                limited=scope.args.get("limit") is not None or scope.args.get("fetch") is not None,
                group=self._grouping(scope, mine) if is_select else (),
                extremes=tuple(self._extremes(scope, mine)) if is_select else (),
                columns=self._needed(scope, mine) if is_select else None,
                joined=len(sources) > 1 or bool(scope.args.get("joins")),
            )

    def _joins(self, scope: exp.Expr) -> Iterator[exp.Join]:
        for join in scope.find_all(exp.Join):
            if join.find_ancestor(exp.Select, exp.Update, exp.Delete) is scope:
                yield join

    def _terms(self, part: exp.Expr, mine: tuple[int, str]) -> Iterator[Term]:
        match part:
            case exp.Paren():
                yield from self._terms(part.this, mine)
            case exp.Escape():
                yield from self._terms(part.this, mine)
            case exp.EQ() | exp.NullSafeEQ():
                yield from self._compared(part, mine, Kind.EQUAL)
            case exp.GT() | exp.GTE() | exp.LT() | exp.LTE():
                yield from self._compared(part, mine, Kind.RANGE)
            case exp.Between():
                if (key := self._key(part.this, mine)) is not None:
                    yield Term(key[0], Kind.RANGE, key[1])
            case exp.In():
                yield from self._contained(part, mine)
            case exp.Is():
                if (key := self._key(part.this, mine)) is not None:
                    is_null = isinstance(part.expression, exp.Null)
                    literal = None if is_null else part.expression.sql(self._grammar)
                    yield Term(key[0], Kind.IS_NULL if is_null else Kind.EQUAL, key[1], literal=literal)
            case exp.Like():
                if (key := self._key(part.this, mine)) is not None and not self._mentions(part.expression, mine):
                    bind, literal = self._constant(part.expression)
                    yield Term(key[0], Kind.PREFIX, key[1], bind, literal)
            case exp.Column():
                if self._owner(part) == mine:
                    yield Term(part.name, Kind.EQUAL, literal="1" if self._grammar == "sqlite" else "true")
            case exp.Not():
                if isinstance(part.this, exp.Column) and self._owner(part.this) == mine:
                    yield Term(part.this.name, Kind.EQUAL, literal="0" if self._grammar == "sqlite" else "false")
            case _:
                pass

    def _compared(self, part: exp.Expr, mine: tuple[int, str], kind: Kind) -> Iterator[Term]:
        for side, other in ((part.this, part.expression), (part.expression, part.this)):
            if isinstance(side, exp.Tuple) and side.expressions and kind is Kind.RANGE:
                side = side.expressions[0]  # a row value is compared by its first column first
            key = self._key(side, mine)
            if key is None or self._mentions(other, mine):
                continue
            if kind is Kind.EQUAL and isinstance(other, exp.Any):
                yield Term(key[0], Kind.IN, key[1])
            elif kind is Kind.EQUAL and any(
                self._owner(column) is not None for column in other.find_all(exp.Column)
            ):
                yield Term(key[0], Kind.JOIN, key[1])
            else:
                bind, literal = self._constant(other)
                yield Term(key[0], kind, key[1], bind, literal)

    def _contained(self, part: exp.In, mine: tuple[int, str]) -> Iterator[Term]:
        if (key := self._key(part.this, mine)) is not None:
            if part.args.get("query") is not None:
                yield Term(key[0], Kind.JOIN, key[1])
            elif len(part.expressions) == 1:
                bind, literal = self._constant(part.expressions[0])
                yield Term(key[0], Kind.EQUAL, key[1], bind, literal)
            else:
                yield Term(key[0], Kind.IN, key[1])

    def _key(self, side: exp.Expr, mine: tuple[int, str]) -> tuple[str, bool] | None:
        """The column, or the expression over one column of this table alone, that ``side`` is."""
        while isinstance(side, exp.Paren):
            side = side.this
        if isinstance(side, exp.Column):
            return (side.name, False) if self._owner(side) == mine else None
        if isinstance(side, exp.Collate | exp.Subquery) or side.find(exp.Select, exp.AggFunc, exp.Placeholder):
            return None
        columns = list(side.find_all(exp.Column))
        if not columns or any(self._owner(column) != mine for column in columns):
            return None
        bare = side.copy()
        for column in bare.find_all(exp.Column):
            column.set("table", None)
        return bare.sql(self._grammar).lower() if isinstance(side, exp.Lower) else bare.sql(self._grammar), True

    def _mentions(self, side: exp.Expr, mine: tuple[int, str]) -> bool:
        return any(self._owner(column) == mine for column in side.find_all(exp.Column))

    def _constant(self, side: exp.Expr) -> tuple[int | str | None, str | None]:
        while isinstance(side, exp.Cast | exp.Paren):
            side = side.this
        if isinstance(side, exp.Placeholder):
            name = side.name
            return (int(name.removeprefix(_BIND)) if name.startswith(_BIND) else name), None
        if isinstance(side, exp.Literal | exp.Boolean):
            return None, side.sql(self._grammar)
        return None, None

    def _ordering(self, scope: exp.Expr, mine: tuple[int, str]) -> tuple[OrderKey, ...]:
        order = scope.args.get("order")
        if order is None or scope.args.get("group") is not None:
            return ()
        named = {each.alias: each.this for each in scope.expressions if isinstance(each, exp.Alias)}
        keys = []
        for ordered in order.expressions:
            what = ordered.this if isinstance(ordered, exp.Ordered) else ordered
            if isinstance(what, exp.Column) and not what.table and what.name in named:
                what = named[what.name]
            key = self._key(what, mine)
            if key is None:
                return ()
            descending = bool(ordered.args.get("desc"))
            natural = descending if self._grammar == "postgres" else not descending
            if isinstance(ordered, exp.Ordered) and bool(ordered.args.get("nulls_first")) != natural:
                return ()  # an index in the usual order of NULLs does not help
            keys.append(OrderKey(key[0], descending, key[1]))
        return tuple(keys)

    def _grouping(self, scope: exp.Expr, mine: tuple[int, str]) -> tuple[str, ...]:
        group = scope.args.get("group")
        wanted: Iterable[Any] = group.expressions if group is not None else ()
        if group is None and scope.args.get("distinct") is not None:
            wanted = [each.unalias() for each in scope.expressions]
        names = []
        for each in wanted:
            if not isinstance(each, exp.Column) or self._owner(each) != mine:
                return ()
            names.append(each.name)
        return tuple(names)

    def _extremes(self, scope: exp.Expr, mine: tuple[int, str]) -> Iterator[str]:
        if scope.args.get("group") is not None:
            return
        for each in scope.expressions:
            inner = each.unalias()
            is_extreme = isinstance(inner, exp.Min | exp.Max) and isinstance(inner.this, exp.Column)
            if is_extreme and self._owner(inner.this) == mine:
                yield inner.this.name

    def _needed(self, scope: exp.Expr, mine: tuple[int, str]) -> frozenset[str] | None:
        for each in scope.expressions:
            if isinstance(each.unalias(), exp.Star):
                return None
            if isinstance(each, exp.Column) and isinstance(each.this, exp.Star):
                return None
        return frozenset(
            column.name
            for column in scope.find_all(exp.Column)
            if self._owner(column) == mine and not isinstance(column.this, exp.Star)
        )


def _conjuncts(condition: exp.Expr) -> list[exp.Expr]:
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.And):
        return [*_conjuncts(condition.left), *_conjuncts(condition.right)]
    return [condition]


def _alternatives(condition: exp.Expr) -> list[list[exp.Expr]]:
    """The condition as an OR of ANDs, as far as that stays small; else what certainly holds."""
    fixed: list[exp.Expr] = []
    choices: list[list[list[exp.Expr]]] = []
    for part in _conjuncts(condition):
        if isinstance(part, exp.Or):
            choices.append([each for side in _disjuncts(part) for each in _alternatives(side)])
        else:
            fixed.append(part)
    count = 1
    usable = []
    for choice in choices:
        if count * len(choice) <= MAX_BRANCHES:
            usable.append(choice)
            count *= len(choice)
    return [
        [*fixed, *(part for alternative in picked for part in alternative)]
        for picked in islice(product(*usable), MAX_BRANCHES)
    ]


def _disjuncts(condition: exp.Expr) -> list[exp.Expr]:
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.Or):
        return [*_disjuncts(condition.left), *_disjuncts(condition.right)]
    return [condition]
