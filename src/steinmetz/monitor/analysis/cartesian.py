"""Relations in FROM that no predicate connects: every row of one meets every row of the other.

For statements that SQLAlchemy built, its own linter knows better (``compiled.from_linter``); this is for text, by
sqlglot if that is installed. It accuses nobody on a doubt: an explicit CROSS JOIN, LATERAL, a function, a source
of one row, a column without its table or a relation pinned to a constant is taken for meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from steinmetz.monitor.analysis.patterns import Finding, PatternKind
from steinmetz.monitor.analysis.place import Place
from steinmetz.sql.facts import StatementFacts

LONGEST = 10_000
_DIALECTS = {"postgresql": "postgres", "mariadb": "mysql", "mssql": "tsql"}
"""For the others sqlglot's own grammar: that of SQLite reads a comma as a CROSS JOIN that somebody wrote."""


def unconnected(statement: str, dialect: str = "") -> tuple[str, ...]:
    """The relations of ``statement`` that stand alone, by name; empty if all is connected or cannot be read."""
    try:
        import sqlglot
        from sqlglot import exp
    except ImportError:
        return ()
    if len(statement) > LONGEST:
        return ()
    try:
        tree = sqlglot.parse_one(statement, dialect=_DIALECTS.get(dialect))
        for select in tree.find_all(exp.Select):
            if alone := _alone(select, exp):
                return alone
    except Exception:
        return ()  # a grammar that sqlglot does not know
    return ()


def _alone(select: Any, exp: Any) -> tuple[str, ...]:
    first = select.args.get("from_") or select.args.get("from")
    joins = select.args.get("joins") or []
    if first is None or not joins:
        return ()
    sources = [first.this, *(join.this for join in joins)]
    names = [source.alias_or_name for source in sources]
    if not all(names) or len(set(names)) < len(names):
        return ()
    groups = {name: {name} for name in names}

    def connect(connected: list[str]) -> None:
        merged = set().union(*(groups[name] for name in connected))
        for name in merged:
            groups[name] = merged

    for index, join in enumerate(joins, 1):
        condition = join.args.get("on")
        explicit = join.kind or join.side or join.method or join.args.get("using")
        if condition is None and explicit:
            connect([names[index - 1], names[index]])  # USING, NATURAL, and a CROSS JOIN that somebody wrote
    for source, name in zip(sources, names, strict=True):
        if _is_no_relation(source, exp) or _is_one_row(source, select, exp):
            connect([names[0], name])
    for conjunct in _conjuncts(select, joins, exp):
        columns = list(conjunct.find_all(exp.Column))
        if any(not column.table for column in columns) and len(columns) > 1:
            return ()
        told = list(dict.fromkeys(column.table for column in columns if column.table in groups))
        if len(told) > 1:
            connect(told)
        elif told and isinstance(conjunct, exp.EQ):
            connect([names[0], told[0]])  # pinned to a constant
    main = groups[names[0]]
    return tuple(name for name in names if name not in main)


def _conjuncts(select: Any, joins: list[Any], exp: Any) -> Iterator[Any]:
    conditions = [join.args.get("on") for join in joins]
    where = select.args.get("where")
    for condition in [*conditions, where.this if where is not None else None]:
        if condition is None:
            continue
        yield from condition.flatten() if isinstance(condition, exp.And) else (condition,)


def _is_no_relation(source: Any, exp: Any) -> bool:
    """A function, VALUES, LATERAL..."""
    if isinstance(source, exp.Table):
        return not isinstance(source.this, exp.Identifier)
    return not isinstance(source, exp.Subquery)


def _is_one_row(source: Any, select: Any, exp: Any) -> bool:
    """An aggregate over all, or LIMIT 1: as a subquery, or as a CTE that is named here."""
    inner = source.this if isinstance(source, exp.Subquery) else None
    if isinstance(source, exp.Table):
        statement: Any = select
        while statement is not None and inner is None:
            inner = next((cte.this for cte in getattr(statement, "ctes", ()) if cte.alias == source.name), None)
            statement = statement.parent
    if not isinstance(inner, exp.Select):
        return False
    limit = inner.args.get("limit")
    aggregates = bool(inner.expressions) and all(one.find(exp.AggFunc) for one in inner.expressions)
    return (aggregates and not inner.args.get("group")) or (limit is not None and limit.expression.name == "1")


def cartesian(facts: StatementFacts, alone: tuple[str, ...], place: Place | None, scope: str) -> Finding:
    """The finding for a statement in which the relations ``alone`` are connected to nothing."""
    return Finding(
        kind=PatternKind.CARTESIAN_JOIN,
        fingerprint=facts.fingerprint,
        statement=facts.text,
        remedy=(
            f"Connect {', '.join(alone)} to the other relations by a predicate: .join(target, on) or WHERE; if "
            f"every combination is meant, say so by CROSS JOIN or join(target, true())."
        ),
        place=place,
        subject=", ".join(alone),
        scope=scope,
        count=1,
        evidence={"unconnected": ", ".join(alone)},
    )
