"""What a statement asks of each table: by which columns it finds rows, joins, orders and groups them.

Read with sqlglot, for both engines. What cannot be read is said (`Unreadable`), never passed over: such a
statement gets no candidates of its own, but is still asked about all of the others'.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from steinmetz.monitor.advisor.binds import bind_of, with_named_binds
from steinmetz.monitor.advisor.branches import alternatives, conjuncts
from steinmetz.monitor.advisor.reading import Columns, Kind, Occurrence, OrderKey, Reading, Term, Unreadable

MAX_LENGTH = 50_000
"""Longer texts are batches; they are not read."""


def read(sql: str, dialect: str, columns: Columns) -> Reading:
    """Read ``sql``, a text that the driver takes, in ``dialect`` ("sqlite" or "postgresql").

    ``columns`` tells to which table an unqualified name belongs. Raises `Unreadable`.
    """
    if len(sql) > MAX_LENGTH:
        raise Unreadable(f"its text is longer than {MAX_LENGTH:,} characters")
    grammar = "postgres" if dialect.startswith("postgres") else dialect
    try:
        tree = parse_one(with_named_binds(sql, grammar), read=grammar)
    except (SqlglotError, RecursionError) as error:
        raise Unreadable(f"its text is not understood ({type(error).__name__})") from None
    if isinstance(tree, exp.Command) or tree is None:
        raise Unreadable("it is a command")
    return _Reader(tree, grammar, columns).reading()


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
            for part in conjuncts(join.args["on"])
        ]
        choices = alternatives(where.this) if where is not None else [[]]
        is_select = isinstance(scope, exp.Select)
        for alias, table in sources.items():
            mine = (id(scope), alias)
            branches = []
            for alternative in choices:
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
            return bind_of(side.name), None
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
