"""Indexes that exist and need not: duplicates of others, and those that nothing uses; with proof by what-if."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from steinmetz.monitor.advisor.candidates import is_prefix
from steinmetz.monitor.advisor.costs import NO_INDEXES, Costs, Indexes, Statement
from steinmetz.monitor.advisor.index import Index
from steinmetz.monitor.dialects.base import CannotExplain, Table

SAME = 1.02
"""Costs that differ by less are equal."""
CALLS_THAT_TELL = 1_000
"""Only of a table that was asked so often it is known what it does not need."""


def needless(costs: Costs, tables: Mapping[str, Table], chosen: Indexes) -> Iterator[tuple[Index, str]]:
    """Each with the reason. Never one that keeps values unique, or that alone serves a foreign key."""
    for name, table in sorted(tables.items()):
        statements = [each for each in costs.statements if name in each.tables]
        kept = list(table.indexes)
        for index in sorted(table.indexes, key=lambda each: (len(each.columns), each.shown_name)):
            others = [other for other in (*kept, *sorted(chosen)) if other != index and other.table == name]
            if index.unique or not index.columns or tuple(_names(index)) == table.primary_key:
                continue
            if _alone_serves_a_key(index, others, [key.columns for key in table.foreign_keys]):
                continue
            reason = _reason(costs, statements, index, others, chosen)
            if reason:
                kept.remove(index)
                yield index, reason


def _reason(
    costs: Costs, statements: Sequence[Statement], index: Index, others: Sequence[Index], chosen: Indexes
) -> str:
    longer = next((other for other in others if is_prefix(index, other)), None)
    calls = sum(statement.query.calls for statement in statements)
    if longer is None and (calls < CALLS_THAT_TELL or _is_used(costs, statements, index, chosen)):
        return ""
    if not _is_as_cheap_without(costs, statements, index, chosen):
        return ""
    if longer is not None:
        return f"{longer.shown_name} begins with the same columns and does its work, too."
    return f"No plan uses it, in {len(statements)} statements on {index.table} that ran {calls:,} times."


def _is_used(costs: Costs, statements: Iterable[Statement], index: Index, chosen: Indexes) -> bool:
    return any(
        index.shown_name in costs.used(statement, adding)
        for statement in statements
        for adding in (NO_INDEXES, chosen)
    )


def _is_as_cheap_without(costs: Costs, statements: Iterable[Statement], index: Index, chosen: Indexes) -> bool:
    gone = frozenset({index})
    try:
        return all(
            costs.of(statement, chosen, gone) <= SAME * costs.of(statement, chosen) for statement in statements
        )
    except CannotExplain:
        return False  # it belongs to a constraint, or the engine cannot hide it


def _alone_serves_a_key(index: Index, others: Iterable[Index], keys: Iterable[tuple[str, ...]]) -> bool:
    def serves(each: Index, key: tuple[str, ...]) -> bool:
        return not each.where and set(_names(each)[: len(key)]) == set(key)

    return any(serves(index, key) and not any(serves(other, key) for other in others) for key in keys)


def _names(index: Index) -> list[str]:
    return [column.name for column in index.columns]
