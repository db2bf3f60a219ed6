"""Which rows a compiled statement reads or writes, but for the values: worked out once, bound at each run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.sql.schema import Column as SchemaColumn
from sqlalchemy.sql.schema import Table

from steinmetz.sql.facts import Relation
from steinmetz.sql.rows import MAX_KEYS, Change, Column, Rows, Value, normalised, values_of

Run = tuple[Sequence[Mapping[str, Any]], Mapping[str, Sequence[str]]]
"""The sets of parameters of one run, and the names in them that the values of each IN list got.

SQLAlchemy makes both anew for each run, and nobody changes them afterwards; the values of a list are copied there.
"""
NO_LISTS: Mapping[str, Sequence[str]] = {}


@dataclass(frozen=True, slots=True)
class Bind:
    """A bound parameter by its name in ``compiled_parameters``; ``many``: it is an IN list.

    ``or_null``: its NULL stays NULL in the column, and no equality finds it there.
    """

    name: str
    many: bool = False
    or_null: bool = False


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence of a relation, an alias by itself: its bound columns, and all that are mentioned."""

    relation: Relation
    bound: tuple[tuple[Column, Bind], ...]
    columns: frozenset[str] | None


class ReadTemplate:
    """The occurrences of a SELECT: all that there are of ``relations``; of ``whole``, nothing is known.

    ``has_lists``: some of the binds are IN lists.
    """

    __slots__ = ("has_lists", "occurrences", "relations", "whole")

    def __init__(self, occurrences: Sequence[Occurrence], reads: frozenset[Relation]) -> None:
        self.occurrences = tuple(occurrences)
        self.relations = frozenset(occurrence.relation for occurrence in occurrences)
        self.whole = reads - self.relations
        self.has_lists = any(bind.many for occurrence in occurrences for _, bind in occurrence.bound)

    def rows(self, run: Run) -> Iterator[tuple[Relation, Rows]]:
        """The rows of each occurrence in one run.

        Raises `LookupError` if a value is not where it is looked for, and `ValueError` for several sets of them.
        """
        sets, lists = run
        (parameters,) = sets
        for occurrence in self.occurrences:
            bound = {}
            for column, bind in occurrence.bound:
                value = _taken(parameters, lists[bind.name]) if bind.many else parameters[bind.name]
                found = bound_values(column, bind, value)
                if found is not None:
                    bound[column] = values_of(found)
            yield occurrence.relation, Rows(bound, occurrence.columns)


@dataclass(frozen=True, slots=True)
class Setting:
    """A column of the table that is written, as far as its images may be told: ``given`` binds its new value.

    ``column`` is None for one whose values are not reasoned about, or that changes without being set.
    """

    schema: SchemaColumn[Any]
    column: Column | None
    is_assigned: bool
    given: Bind | None = None
    follows: bool = False
    """It is set by itself whenever the row is changed (``onupdate``, computed)."""


@dataclass(frozen=True, slots=True)
class OneRow:
    """That an UPDATE or DELETE is of one row by its primary key, and what is known of the columns of its table."""

    table: Table
    key: Mapping[SchemaColumn[Any], Bind]
    settings: tuple[Setting, ...]


class WriteTemplate:
    """What an INSERT, UPDATE or DELETE does to its ``relation``; ``others`` are what else is written thereby.

    ``bound`` has, for each column, every bind that its value comes from, before and after. ``generated`` are the
    columns of an INSERT whose values are known afterwards, by their place in ``inserted_primary_key``. ``row`` is
    known of statements as the ORM's unit of work makes them.
    """

    __slots__ = ("assigned", "bound", "generated", "inserts", "others", "relation", "row")

    def __init__(
        self,
        relation: Relation,
        writes: frozenset[Relation],
        bound: Sequence[tuple[Column, tuple[Bind, ...]]],
        assigned: frozenset[str] | None,
        generated: Sequence[tuple[Column, int]] = (),
        *,
        inserts: bool = False,
        row: OneRow | None = None,
    ) -> None:
        self.relation = relation
        self.others = writes - {relation}
        self.bound = tuple(bound)
        self.assigned = assigned
        self.generated = tuple(generated)
        self.inserts = inserts
        self.row = row


class Gathered:
    """The values that one `WriteTemplate` has been run with in one transaction.

    ``images`` are those of further columns, where they are known of every row that was written.
    """

    __slots__ = ("generated", "images", "template", "within")

    def __init__(self, template: WriteTemplate) -> None:
        self.template = template
        self.within: dict[Column, set[Value]] = {column: set() for column, _ in template.bound}
        self.generated: dict[Column, set[Value]] = {column: set() for column, _ in template.generated}
        self.images: dict[Column, set[Value]] | None = None

    def add(self, parameters: Iterable[Mapping[str, Any]], lists: Mapping[str, Sequence[str]] = NO_LISTS) -> None:
        """One run; a column whose value is in doubt once, or that has too many, binds no more."""
        binds = [(column, bind) for column, sources in self.template.bound for bind in sources]
        for one in parameters:
            binds = [(column, bind) for column, bind in binds if column in self.within]
            if not binds:
                return
            for column, bind in binds:
                known = self.within.get(column)
                if known is None:
                    continue
                try:
                    value = _taken(one, lists[bind.name]) if bind.many else one[bind.name]
                    found = bound_values(column, bind, value)
                except LookupError:
                    found = None
                if found is not None:
                    known.update(found)
                if found is None or len(known) > MAX_KEYS:
                    del self.within[column]

    def add_generated(self, keys: Sequence[Any] | None, expected: int) -> None:
        """The primary keys of ``expected`` rows, as far as they are known by now."""
        complete = keys is not None and len(keys) == expected
        for column, place in self.template.generated:
            known = self.generated.get(column)
            if known is None:
                continue
            values = {normalised(column.kind, key[place]) for key in keys or () if key is not None}
            if complete and None not in values and len(known | values) <= MAX_KEYS and values:
                known.update(value for value in values if value is not None)
            else:
                del self.generated[column]

    def add_images(self, images: Mapping[Column, set[Value]]) -> None:
        """What one more row has in its columns, before and after; what is not known of it binds no more."""
        known = images if self.images is None else self.images
        both = {column: values | images[column] for column, values in known.items() if column in images}
        self.images = {column: values for column, values in both.items() if len(values) <= MAX_KEYS}

    def change(self) -> Change:
        within = {**(self.images or {}), **self.within, **self.generated}
        return Change({column: values_of(values) for column, values in within.items()}, self.template.assigned)


def _taken(parameters: Mapping[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    """The values of an IN list, or one more than bind anything."""
    return tuple([parameters[name] for name in names[: MAX_KEYS + 1]])


def bound_values(column: Column, bind: Bind, value: Any) -> set[Value] | None:
    """The values that a bind leaves for its column; None if that is not certain."""
    if value is None:
        return set() if bind.or_null else None
    if not bind.many:
        one = normalised(column.kind, value)
        return None if one is None else {one}
    found: set[Value] = set()
    for each in value:
        if each is None:
            continue  # nothing equals NULL
        one = normalised(column.kind, each)
        if one is None:
            return None
        found.add(one)
    return found if len(value) <= MAX_KEYS else None
