"""Read and write sets as JSON, for other processes: bounded, and what is read back is checked.

Nothing here trusts its sender: what has another shape is a `NotToldError`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.rows import MAX_KEYS, MAX_ROWS, MAX_TEXT, Change, Column, Kind, Rows, Value, Values, values_of

MAX_RELATIONS = 1_000
"""A write set of more relations is told as "anything" of their databases."""
MAX_VALUES = 4_000
"""Values and columns of rows in one write set; with more, it is told without rows."""
MAX_NAME = 4_096
"""Of a name: of a relation, of a database, of who writes."""
MAX_LENGTH = 62_500
"""Characters of all names in one write set, and of all values."""


class NotToldError(ValueError):
    """The value is no read or write set."""


def told_writes(writes: WriteSet) -> dict[str, Any]:
    """Bounded: above the bounds it is "anything" of the databases concerned, never less than was written."""
    relations = sorted(writes.relations)
    names = [[relation.database, relation.name] for relation in relations]
    length = sum(len(word) for name in names for word in name)
    is_too_long = len(names) > MAX_RELATIONS or length > MAX_LENGTH
    if is_too_long or any(len(name) > MAX_NAME or not _is_text(name) for _, name in names):
        return {"relations": [], "unknown": sorted(writes.unknown | {each.database for each in relations})}
    return {"relations": names, "unknown": sorted(writes.unknown), "rows": _told_rows(writes, relations)}


def _told_rows(writes: WriteSet, relations: list[Relation]) -> list[Any]:
    """Of each, ``[place, changes]``; a change is ``{"within": [[column, kind, values]], "assigned": [column]}``.

    Nothing where that would be too long: the relation then counts as written anywhere.
    """
    told = []
    size = length = 0
    for place, relation in enumerate(relations):
        changes = []
        for change in writes.changes.get(relation, ()):
            within = _told_bound(change.within)
            assigned = None if change.assigned is None else sorted(change.assigned)
            changes.append({"within": within, "assigned": assigned})
            words = [*(assigned or ()), *(name for name, _, _ in within)]
            texts = [*words, *(value for _, _, values in within for value in values if isinstance(value, str))]
            size += len(words) + sum(len(values) for _, _, values in within)
            length += sum(len(word) for word in texts)
            if not all(_is_text(word) for word in texts) or any(len(word) > MAX_NAME for word in words):
                return []
        if changes:
            told.append([place, changes])
    return told if size <= MAX_VALUES and length <= MAX_LENGTH else []


def told_reads(reads: ReadSet) -> dict[str, Any]:
    """What `heard_reads` understands. Raises `NotToldError` for a set that is uncertain or above the bounds."""
    relations = sorted(reads.relations)
    if reads.unknown or len(relations) > MAX_RELATIONS:
        raise NotToldError("an uncertain read set, or one of too many relations")
    rows = [
        [
            place,
            [
                {
                    "bound": [
                        [name, str(kind), sorted(values)] for (name, kind), values in sorted(each.bound.items())
                    ],
                    "columns": None if each.columns is None else sorted(each.columns),
                }
                for each in reads.rows[relation]
            ],
        ]
        for place, relation in enumerate(relations)
        if reads.rows.get(relation)
    ]
    return {"relations": [[relation.database, relation.name] for relation in relations], "rows": rows}


def _told_bound(bound: Mapping[Column, Values]) -> list[Any]:
    return [[name, str(kind), sorted(values)] for (name, kind), values in sorted(bound.items())]


def _is_text(name: str) -> bool:
    """Lone surrogates, as file names have them, cannot be sent."""
    return name.isascii() or name.encode("utf-8", "ignore").decode() == name


def heard_writes(value: Any) -> WriteSet:
    """What `told_writes` told. Raises `NotToldError`."""
    if not isinstance(value, dict):
        raise NotToldError("not a write set")
    unknown, rows = value.get("unknown"), value.get("rows", [])
    if not isinstance(unknown, list):
        raise NotToldError("not a write set")
    named = _named(value.get("relations"))
    return WriteSet(
        frozenset(named), frozenset(_text(database) for database in unknown), dict(_changes(rows, named))
    )


def heard_reads(value: Any) -> ReadSet:
    """What `told_reads` told. Raises `NotToldError`."""
    if not isinstance(value, dict) or not isinstance(value.get("rows"), list):
        raise NotToldError("not a read set")
    named = _named(value.get("relations"))
    rows = {}
    for each in value["rows"]:
        if not isinstance(each, list) or len(each) != 2 or not isinstance(each[1], list):
            raise NotToldError("not the rows of a relation")
        place, looks = each
        if type(place) is not int or not 0 <= place < len(named) or not 0 < len(looks) <= MAX_ROWS:
            raise NotToldError("rows of no relation")
        rows[named[place]] = tuple(_rows(look) for look in looks)
    return ReadSet(frozenset(named), rows=rows)


def _named(relations: Any) -> list[Relation]:
    if not isinstance(relations, list) or len(relations) > MAX_RELATIONS:
        raise NotToldError("not the relations of a set")
    named = []
    for relation in relations:
        if not isinstance(relation, list) or len(relation) != 2:
            raise NotToldError("not a relation")
        named.append(Relation(_text(relation[0]), _text(relation[1])))
    return named


def _rows(told: Any) -> Rows:
    if not isinstance(told, dict):
        raise NotToldError("not rows")
    return Rows(_bound(told.get("bound")), _columns(told.get("columns")))


def _changes(rows: Any, relations: list[Relation]) -> Iterator[tuple[Relation, tuple[Change, ...]]]:
    if not isinstance(rows, list) or len(rows) > len(relations):
        raise NotToldError("not the rows of a write set")
    told: set[int] = set()
    for each in rows:
        if not isinstance(each, list) or len(each) != 2:
            raise NotToldError("not the rows of a relation")
        place, changes = each
        if type(place) is not int or not 0 <= place < len(relations) or place in told:
            raise NotToldError("rows of no relation")
        told.add(place)
        if not isinstance(changes, list):
            raise NotToldError("not the rows of a relation")
        if not 0 < len(changes) <= MAX_ROWS:
            raise NotToldError("rows of too many kinds")
        yield relations[place], tuple(_change(change) for change in changes)


def _change(told: Any) -> Change:
    if not isinstance(told, dict):
        raise NotToldError("not a change of rows")
    return Change(_bound(told.get("within")), _columns(told.get("assigned")))


def _bound(told: Any) -> dict[Column, frozenset[Value]]:
    if not isinstance(told, list):
        raise NotToldError("not bound columns")
    within = {}
    for bound in told:
        if not isinstance(bound, list) or len(bound) != 3 or not isinstance(bound[2], list):
            raise NotToldError("not a bound column")
        if bound[1] not in list(Kind) or len(bound[2]) > MAX_KEYS:
            raise NotToldError("not a bound column")
        kind = Kind(bound[1])
        column = Column(_text(bound[0]), kind)
        if column in within:
            raise NotToldError("a column that is bound twice")
        within[column] = values_of({_value(kind, value) for value in bound[2]})
    return within


def _columns(told: Any) -> frozenset[str] | None:
    if told is None:
        return None
    if not isinstance(told, list):
        raise NotToldError("not columns")
    return frozenset(_text(column) for column in told)


def _value(kind: Kind, value: Any) -> Value:
    expected: type[Value] = {Kind.INTEGER: int, Kind.BOOLEAN: bool}.get(kind, str)
    if type(value) is not expected or (isinstance(value, str) and len(value) > MAX_TEXT):
        raise NotToldError("not a value of its column")
    checked: Value = value
    return checked


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_NAME:
        raise NotToldError("not a name")
    return value
