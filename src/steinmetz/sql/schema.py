"""What a database consists of, and what in it reaches what: the values of a `Catalogue`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum

from steinmetz.sql.analysis import Analysis, Write
from steinmetz.sql.facts import Stored


class Kind(StrEnum):
    """pg_class.relkind, as far as statements can name it."""

    TABLE = "r"
    PARTITIONED = "p"
    VIEW = "v"
    MATERIALIZED = "m"
    FOREIGN = "f"
    SEQUENCE = "S"


@dataclass(frozen=True, slots=True)
class Entry:
    """One relation; ``shown`` is its name as facts tell it."""

    oid: int
    name: str
    kind: Kind
    shown: str


@dataclass(frozen=True, slots=True)
class Function:
    """One function outside pg_catalog. ``body`` is its source where that is SQL or PL/pgSQL.

    ``oid`` is negative, see `Edges`.

    ``as_attribute`` says that it takes one row, so that ``t.f`` calls it without a parenthesis. ``analysis`` is
    there if the server keeps the body analysed (BEGIN ATOMIC).
    """

    oid: int
    name: str
    language: str
    immutable: bool
    body: str
    as_attribute: bool = False
    analysis: Analysis | None = None


class Edges:
    """Who reaches whom, by oid; the oids of functions are negative, as they are counted apart from relations'.

    What is built in has no entry and touches nothing.
    """

    def __init__(self) -> None:
        self.views: dict[int, set[int]] = defaultdict(set)  # view -> what its query names
        self.replaced: set[Write] = set()  # what an INSTEAD OF trigger or an INSTEAD rule does otherwise
        self.triggers: dict[Write, set[int]] = defaultdict(set)  # -> functions
        self.if_assigned: dict[tuple[int, int], set[int] | None] = {}  # UPDATE OF: relation, function -> columns
        self.rules: dict[Write, Analysis] = {}  # -> what their actions do
        self.actions: dict[Write, set[Write]] = defaultdict(set)  # of a referenced relation -> of the referring
        self.keys: dict[tuple[int, int], set[int]] = defaultdict(set)  # referenced, referring -> columns
        self.children: dict[int, set[int]] = defaultdict(set)  # parent -> partitions, heirs
        self.defaults: dict[int, set[int]] = defaultdict(set)  # relation -> functions
        self.checks: dict[int, set[int]] = defaultdict(set)  # relation -> functions
        self.conditions: dict[int, set[int]] = defaultdict(set)  # relation -> what its triggers' WHEN names
        self.policies: dict[int, set[int]] = defaultdict(set)  # relation -> what they name
        self.calls: dict[int, set[int]] = defaultdict(set)  # function -> recorded dependencies
        self.ambient: set[int] = set()  # functions behind operators, casts, domains and aggregates
        self.transition: dict[int, set[str]] = defaultdict(set)  # function -> transition tables of its triggers
        self.stored: dict[int, dict[str, Stored]] = defaultdict(dict)  # relation -> columns that compare exactly
        self.computed: dict[int, set[str]] = defaultdict(set)  # relation -> columns that follow from others
        self.rewritten: set[int] = set()  # relations with triggers that may change a row before it is written
        self.generated: set[int] = set()  # relations with generated columns
        self.revised: set[Write] = set()  # whose rows a BEFORE trigger may change
