"""Which indexes might help: for each place of a table in a statement, as the theory of B-trees has it.

Columns compared by equality come first, the most selective in front; then one range, or what ORDER BY asks for,
with its direction; then what makes the index suffice without the table. Variants: partial where a value is always
the same, expressions, and the operator class or collation that LIKE with a fixed beginning needs. At most four
columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from steinmetz.monitor.advisor.binds import bound_value
from steinmetz.monitor.advisor.index import Index, IndexColumn
from steinmetz.monitor.advisor.reading import Kind, Occurrence, Reading, Term
from steinmetz.monitor.advisor.workload import Query
from steinmetz.monitor.dialects.base import Table

MAX_COLUMNS = 4
MAX_PER_PLACE = 28
MAX_CANDIDATES = 300
CONSTANT_SHARE = 0.95
"""A value that so many of the calls share may become the condition of a partial index."""
SMALLEST_TABLE = 64
"""Rows; a smaller table is read as a whole anyway."""
PREFIX_LETTERS = 2
"""With fewer fixed letters in front a LIKE narrows nothing."""

_EXACT = (Kind.EQUAL, Kind.IS_NULL)


@dataclass(slots=True)
class Candidate:
    """An index that might help, and the fingerprints of the statements it was thought up for."""

    index: Index
    statements: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Candidates:
    """All of them, and for each statement the sets that are good together only: one for each table of a join, one
    for each branch of an OR."""

    all: list[Candidate]
    together: list[frozenset[Index]] = field(default_factory=list)
    left_out: int = 0
    """Beyond the bound; they are not judged."""

    def tempting(self, chosen: frozenset[Index]) -> list[Index]:
        """Short ones that were not chosen: what somebody would try first."""
        others = [candidate.index for candidate in self.all if candidate.index not in chosen]
        return sorted(others, key=lambda index: (len(index.columns), index))


def candidates(
    readings: Sequence[tuple[Query, Reading]],
    tables: Mapping[str, Table],
    dialect: str,
    foreign_keys: Iterable[tuple[str, tuple[str, ...]]] = (),
) -> Candidates:
    """The candidates of a workload, those of the statements with the most time first.

    ``foreign_keys`` (table, columns) are looked up by deletes of the rows they refer to.
    """
    popular = _popularity(reading for _, reading in readings)
    found: dict[object, Candidate] = {}
    together: dict[frozenset[Index], None] = {}
    left_out = 0
    for name, columns in foreign_keys:
        index = Index(name, tuple(map(IndexColumn, columns)))
        if tables[name].rows >= SMALLEST_TABLE and not covered_by_existing(index, tables[name]):
            found[_content(index, len(columns))] = Candidate(index)
    for query, reading in sorted(readings, key=lambda pair: (-pair[0].total_ns, pair[0].fingerprint)):
        places: list[list[Index]] = []
        for occurrence in reading.occurrences:
            table = tables.get(occurrence.table)
            if table is None or table.rows < SMALLEST_TABLE:
                continue
            for branch in occurrence.branches:
                place = _Place(query, occurrence, branch, table, popular, dialect)
                mine: list[Index] = []
                for index, fixed in place.indexes():
                    key = _content(index, fixed)
                    if key not in found:
                        if len(found) >= MAX_CANDIDATES:
                            left_out += 1
                            continue
                        found[key] = Candidate(index)
                    found[key].statements.add(query.fingerprint)
                    mine.append(found[key].index)
                if mine:
                    places.append(mine)
        together.update(dict.fromkeys(_sets(places)))
    return Candidates(list(found.values()), list(together), left_out)


def covered_by_existing(index: Index, table: Table) -> bool:
    """Whether an index of the table finds the same rows in the same order already."""
    return any(is_prefix(index, existing) for existing in table.indexes)


def is_prefix(shorter: Index, longer: Index) -> bool:
    """Whether ``longer`` does all that ``shorter`` does: same beginning, same condition, all that is included."""
    count = len(shorter.columns)
    if longer.where != shorter.where or longer.columns[:count] != shorter.columns:
        return False
    carried = {column.name for column in longer.columns} | set(longer.include)
    return set(shorter.include) <= carried


def _popularity(readings: Iterable[Reading]) -> Counter[tuple[str, str]]:
    """How many statements compare a column by equality: shared columns in front make shared indexes."""
    counted: Counter[tuple[str, str]] = Counter()
    for reading in readings:
        counted.update(
            {
                (occurrence.table, term.key)
                for occurrence in reading.occurrences
                for branch in occurrence.branches
                for term in branch
                if term.kind in (Kind.EQUAL, Kind.IS_NULL, Kind.JOIN, Kind.IN)
            }
        )
    return counted


def _content(index: Index, fixed: int) -> object:
    """Equal for indexes of equal use: read backwards, (a, b DESC) is (a, b) for rows of one a."""
    flip = any(column.descending for column in index.columns[fixed : fixed + 1])
    keys = tuple(
        (column.name, column.compares, column.descending is not flip if place >= fixed else False)
        for place, column in enumerate(index.columns)
    )
    return index.table, keys, index.where, index.include


def _sets(places: list[list[Index]]) -> Iterator[frozenset[Index]]:
    """The first choices of every two places, and of all places at once."""
    for number, mine in enumerate(places):
        for others in places[number + 1 :]:
            for one in mine[:3]:
                for other in others[:3]:
                    if one != other:
                        yield frozenset({one, other})
    if len(places) > 2:
        everything = frozenset(mine[0] for mine in places)
        if len(everything) > 2:
            yield everything


class _Place:
    """One branch of one occurrence of a table in one statement."""

    def __init__(
        self,
        query: Query,
        occurrence: Occurrence,
        branch: Sequence[Term],
        table: Table,
        popular: Mapping[tuple[str, str], int],
        dialect: str,
    ) -> None:
        self._query = query
        self._occurrence = occurrence
        self._table = table
        self._postgres = dialect.startswith("postgres")
        self._popular = popular
        terms = [term for term in branch if term.is_expression or term.key in table.columns]
        self._exact = [term for term in terms if term.kind in _EXACT]
        self._joins = [_column(term) for term in terms if term.kind is Kind.JOIN and not self._is_key(term)]
        self._lists = [_column(term) for term in terms if term.kind is Kind.IN]
        self._ranges = [_column(term) for term in terms if term.kind is Kind.RANGE]
        self._prefixes = [column for term in terms if (column := self._prefix(term)) is not None]

    def indexes(self) -> Iterator[tuple[Index, int]]:
        """Each index with the number of its leading columns whose direction does not matter; the best first."""
        if self._is_found_by_key():
            return
        seen: set[Index] = set()
        for index, fixed in self._all():
            if len(seen) >= MAX_PER_PLACE:
                return
            first = index.columns[0]
            alone = len(self._table.primary_key) == 1 and first.name == self._table.primary_key[0]
            if (
                index not in seen
                and not (alone and not index.where)
                and not covered_by_existing(index, self._table)
            ):
                seen.add(index)
                yield index, fixed

    def _is_key(self, term: Term) -> bool:
        return self._table.primary_key == (term.key,)

    def _is_found_by_key(self) -> bool:
        """Whether equality on a whole unique key leaves one row: nothing finds it faster."""
        exact = {term.key for term in self._exact if term.kind is Kind.EQUAL}
        keys = [set(self._table.primary_key)]
        keys += [
            {column.name for column in each.columns}
            for each in self._table.indexes
            if each.unique and not each.where
        ]
        return any(key and key <= exact for key in keys)

    def _all(self) -> Iterator[tuple[Index, int]]:
        exact = [_column(term) for term in self._exact]
        by_selectivity = sorted(exact, key=lambda column: (-self._distinct(column), column.name))
        by_use = sorted(by_selectivity, key=lambda column: -self._popular.get((self._table.name, column.name), 0))
        leads: list[list[IndexColumn]] = []
        for ordered in (by_selectivity, by_use):
            leads += [ordered, [*ordered, *self._joins], [*self._joins, *ordered]]
        leads += [[join, *by_selectivity] for join in self._joins]
        leads += [[*by_selectivity, join] for join in self._joins]
        tails = self._tails()
        if self._occurrence.group:
            # Groups come out in order, and within each the rows that are wanted lie together.
            groups = [IndexColumn(name) for name in self._occurrence.group]
            for tail in ([column] for column in self._ranges):
                if index := self._index([*groups, *by_selectivity, *tail]):
                    yield index, len(groups) + len(by_selectivity)
            if by_selectivity and (index := self._index([*groups, *by_selectivity])):
                yield index, len(groups)
        for lead in _distinct([_unique(lead)[: MAX_COLUMNS - 1] for lead in leads]):
            for tail in tails:
                if index := self._index([*lead, *tail]):
                    yield index, len(lead)
                    yield from self._covering(index, len(lead))
        yield from self._partial(by_selectivity, tails)
        for lead in _distinct([_unique(lead)[:MAX_COLUMNS] for lead in self._short(by_selectivity, by_use)]):
            if index := self._index(lead):
                yield index, len(lead)
        if self._occurrence.limited or not exact:
            for tail in tails:
                if tail and (index := self._index(tail)):
                    yield index, 0

    def _short(self, by_selectivity: list[IndexColumn], by_use: list[IndexColumn]) -> Iterator[list[IndexColumn]]:
        for ordered in (by_selectivity, by_use):
            yield ordered
            yield ordered[:2]
        for column in (*by_selectivity, *self._joins, *self._lists):
            yield [column]
        for column in self._lists:
            yield [*by_selectivity, column]
            yield [column, *by_selectivity]

    def _tails(self) -> list[list[IndexColumn]]:
        """What may follow the columns of equality: at most one range, or an order, or a group; then nothing."""
        occurrence = self._occurrence
        order = [IndexColumn(key.key, key.descending, key.is_expression) for key in occurrence.order]
        tails: list[list[IndexColumn]] = []
        if order:
            tails.append(order)
            if len(order) > 1:
                tails.append(order[:1])  # most of the order; rows that are equal by it are few
            ordered = {key.name for key in order}
            others = [column for column in (*self._lists, *self._ranges) if column.name not in ordered]
            tails += [[*order[:2], column] for column in others]  # rows are told apart within the index
        tails += [[*self._lists[:2], column] for column in self._ranges if self._lists]
        tails += [[column] for column in self._ranges]
        tails += [[column] for column in self._prefixes]
        tails += [self._lists[:2]] if self._lists else []
        tails += [[IndexColumn(name)] for name in occurrence.extremes]
        if occurrence.group:
            tails.append([IndexColumn(name) for name in occurrence.group])
        return _distinct([*tails, []])

    def _index(self, columns: Iterable[IndexColumn], where: str = "", include: Sequence[str] = ()) -> Index | None:
        keys = _unique(columns)[:MAX_COLUMNS]
        return Index(self._table.name, tuple(keys), where, tuple(include)) if keys else None

    def _covering(self, index: Index, fixed: int) -> Iterator[tuple[Index, int]]:
        """With everything that the statement needs of the table, if that is little."""
        needed = self._occurrence.columns
        if needed is None:
            return
        here = {column.name for column in index.columns}
        more = sorted(name for name in needed - here if name in self._table.columns)
        if not self._postgres and len(self._table.primary_key) == 1:
            more = [name for name in more if name not in self._table.primary_key]  # an index carries it anyway
        if not more or len(index.columns) + len(more) > MAX_COLUMNS:
            return
        if self._postgres:
            yield Index(index.table, index.columns, index.where, tuple(more)), fixed
        else:
            yield Index(index.table, (*index.columns, *map(IndexColumn, more)), index.where), fixed

    def _partial(self, exact: list[IndexColumn], tails: list[list[IndexColumn]]) -> Iterator[tuple[Index, int]]:
        for term in self._exact:
            condition = self._always(term)
            if condition is None:
                continue
            rest = [column for column in exact if column.name != term.key]
            for lead in _distinct([[*rest, *self._joins], [*self._joins, *rest]]):
                for tail in tails:
                    if index := self._index([*lead, *tail], condition):
                        yield index, len(lead)

    def _always(self, term: Term) -> str | None:
        """The condition as SQL, if it is the same in nearly all calls."""
        key = f"{term.key}" if term.is_expression else IndexColumn(term.key).sql()
        if term.kind is Kind.IS_NULL:
            return f"{key} IS NULL"
        if term.literal is not None:
            if term.literal in ("true", "false") and self._postgres:
                return key if term.literal == "true" else f"NOT {key}"
            return f"{key} = {term.literal}"
        if term.bind is None:
            return None
        use = self._query.binds.get(term.bind)
        if use is None or use.runs < 20 or use.share < CONSTANT_SHARE:
            return None
        constant = _literal(use.value, postgres=self._postgres)
        return f"{key} = {constant}" if constant is not None else None

    def _prefix(self, term: Term) -> IndexColumn | None:
        if term.kind is not Kind.PREFIX or not self._begins_fixed(term):
            return None
        if self._postgres:
            return IndexColumn(term.key, is_expression=term.is_expression, compares="text_pattern_ops")
        return None if term.is_expression else IndexColumn(term.key, compares="COLLATE NOCASE")

    def _begins_fixed(self, term: Term) -> bool:
        if term.literal is not None:
            return _fixed_letters(term.literal.strip("'")) >= PREFIX_LETTERS
        if term.bind is None:
            return False
        patterns = [bound_value(term.bind, each.values) for each in self._query.sets()]
        fixed = [_fixed_letters(pattern) >= PREFIX_LETTERS for pattern in patterns if isinstance(pattern, str)]
        return bool(fixed) and all(fixed)

    def _distinct(self, column: IndexColumn) -> float:
        known = self._table.columns.get(column.name)
        if known is None or known.distinct is None:
            return float(self._table.rows) if column.is_expression else 0.0
        return known.distinct


def _column(term: Term) -> IndexColumn:
    return IndexColumn(term.key, is_expression=term.is_expression)


def _unique(columns: Iterable[IndexColumn]) -> list[IndexColumn]:
    first: dict[str, IndexColumn] = {}
    for column in columns:
        first.setdefault(column.name, column)
    return list(first.values())


def _distinct(lists: list[list[IndexColumn]]) -> list[list[IndexColumn]]:
    return [list(each) for each in dict.fromkeys(map(tuple, lists))]


def _fixed_letters(pattern: str) -> int:
    return next((place for place, letter in enumerate(pattern) if letter in "%_"), len(pattern))


def _literal(value: Any, *, postgres: bool) -> str | None:
    match value:
        case bool():
            return ("true" if value else "false") if postgres else str(int(value))
        case int():
            return str(value)
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            return None
