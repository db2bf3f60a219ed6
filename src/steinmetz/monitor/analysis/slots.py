"""Which values of a statement say *which rows*, and which only say how many, since when, or what to write.

A loop that asks for other rows each time repeats a statement with other **keys**. Pages, polls and heartbeats
repeat it with other values that are no keys. So a value counts as a key if it is compared by equality, IN or LIKE,
or is inserted; not if it

- bounds a range (``<``, ``BETWEEN``), limits or skips rows: a page, a chunk, a poll for what is new;
- equals a bound of the same column in the same run: the tie-breaker of a keyset page;
- is assigned by SET, or compared to a column that SET assigns: a heartbeat, an optimistic lock;
- is one of several in the list of an IN, or of several rows of VALUES: that asks for many at once already.

No grammar is needed for that; what is not understood is no key, so that it accuses nobody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Role(Enum):
    KEY = "key"
    RANGE = "range"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Slot:
    """One value: the position or the name of a parameter, or a literal's own text (`is_literal`)."""

    role: Role
    source: int | str
    is_literal: bool = False
    column: str = ""


@dataclass(frozen=True, slots=True)
class Slots:
    """The values of one statement text in their order; ``is_batch`` if it writes many rows at once."""

    slots: tuple[Slot, ...]
    is_batch: bool = False
    is_limited: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that keys are compared to, as the statement spells them, each once."""
        return tuple(dict.fromkeys(slot.column for slot in self.slots if slot.role is Role.KEY and slot.column))

    def keys(self, parameters: Any) -> int:
        """A digest of the keys in one run's ``parameters`` (a sequence or a mapping); the keys are not kept."""
        keys: list[Any] = []
        bounds: list[Any] = []
        for slot in self.slots:
            if slot.role is Role.OTHER:
                continue
            value = slot.source if slot.is_literal else _value(parameters, slot.source)
            if isinstance(value, list | tuple | set | frozenset) and len(value) > 1:
                continue  # = ANY(array)
            of = (_last(slot.column), _hashable(value))
            (keys if slot.role is Role.KEY else bounds).append(of)
        return hash(tuple(key for key in keys if key not in bounds))


def _value(parameters: Any, source: int | str) -> Any:
    try:
        return parameters[source]
    except (LookupError, TypeError):
        return None


def _hashable(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value


_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<string>[a-zA-Z]?'(?:[^']|'')*')
  | (?P<quoted>"(?:[^"]|"")*"|`[^`]*`|\[[^\]\d]*\])
  | (?P<cast>::\s*\w+(?:\s*\[\])?)
  | (?P<numbered>[$?]\d+)
  | (?P<named>%\(\w+\)s | (?<!:):\w+ | @\w+)
  | (?P<next>\?|%s)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<word>[^\W\d][\w$]*)
  | (?P<operator>->>|->|\#>>|\#>|@>|<@|<=>|<=|>=|<>|!=|=|<|>|\|\||~)
  | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_VALUES = frozenset({"string", "numbered", "named", "next", "number"})
_KEY_OPERATORS = frozenset({"=", "in", "like", "ilike", "is", "~", "any"})
_RANGE_OPERATORS = frozenset({"<", "<=", ">", ">=", "between", "bounded"})
_CLAUSES = {
    "select": "select", "from": "from", "where": "where", "having": "where", "on": "where", "set": "set",
    "values": "values", "limit": "limit", "offset": "offset", "fetch": "limit", "group": "order", "order": "order",
    "returning": "select", "conflict": "conflict", "when": "where", "then": "select", "else": "select",
}  # fmt: skip
_LONGEST = 20_000


@dataclass(slots=True)
class _Level:
    """What is known within one pair of parentheses."""

    clause: str
    operator: str = ""
    column: str = ""
    lists: bool = False  # the list of an IN
    has_many: bool = False
    first_slot: int = 0


class _Reader:
    """Reads the tokens of one statement from left to right."""

    def __init__(self, statement: str) -> None:
        self._tokens = [
            (match.lastgroup or "", match[0]) for match in _TOKEN.finditer(statement) if match.lastgroup != "space"
        ]
        self._levels = [_Level("")]
        self._slots: list[Slot] = []
        self._assigned: set[str] = set()
        self._is_batch = False
        self._is_limited = False
        self._inserts = False
        self._next = 0

    def read(self) -> Slots:
        for index, (kind, text) in enumerate(self._tokens):
            level = self._levels[-1]
            if kind in _VALUES:
                self._value(kind, text, index, level)
            elif kind == "word":
                self._word(text.lower(), index, level)
            elif kind == "operator":
                self._compare(text, index, level)
            elif text == "(":
                lists = level.operator == "in" and not level.lists  # not the rows within
                first = len(self._slots)
                self._levels.append(_Level(level.clause, level.operator, level.column, lists, first_slot=first))
            elif text == ")" and len(self._levels) > 1:
                self._close(self._levels.pop())
            elif text == ",":
                self._comma(index, level)
        slots = [_no_key(slot) if _last(slot.column) in self._assigned else slot for slot in self._slots]
        return Slots(tuple(slots), self._is_batch, self._is_limited)

    def _close(self, level: _Level) -> None:
        if level.has_many:
            self._slots[level.first_slot :] = [_no_key(slot) for slot in self._slots[level.first_slot :]]

    def _word(self, word: str, index: int, level: _Level) -> None:
        if index == 0:
            self._inserts = word in ("insert", "replace")
        if word in _CLAUSES:
            if word == "select":
                level.lists = False
            level.clause, level.operator = _CLAUSES[word], ""
            self._is_limited = self._is_limited or (level.clause == "limit" and len(self._levels) == 1)
        elif word in ("in", "like", "ilike", "between", "is"):
            self._compare(word, index, level)
        elif word in ("and", "or"):
            level.operator = "bounded" if word == "and" and level.operator == "between" else ""

    def _compare(self, operator: str, index: int, level: _Level) -> None:
        level.operator, level.column = operator, self._name_before(index)
        if level.clause == "set" and operator == "=":
            self._assigned.add(_last(level.column))

    def _comma(self, index: int, level: _Level) -> None:
        if level.lists:
            level.has_many = True
        elif level.clause == "values" and index and self._tokens[index - 1][1] == ")" and level is self._levels[0]:
            self._is_batch = True
        elif level.clause == "set" or len(self._levels) == 1:
            level.operator = ""

    def _value(self, kind: str, text: str, index: int, level: _Level) -> None:
        is_literal = kind in ("string", "number")
        source: int | str = text
        if kind == "next":
            source, self._next = self._next, self._next + 1
        elif kind == "numbered":
            source = int(text[1:]) - 1
        elif kind == "named":
            source = text[2:-2] if text[0] == "%" else text[1:]
        role, column = self._role(index, level)
        self._slots.append(Slot(role, source, is_literal, column))

    def _role(self, index: int, level: _Level) -> tuple[Role, str]:
        if level.clause == "values" or (self._inserts and level.clause == "select"):
            return Role.KEY, ""
        if level.clause not in ("where", "from"):
            return (Role.RANGE if level.clause in ("limit", "offset") else Role.OTHER), ""
        operator, column = level.operator, level.column
        if not operator:
            after = index + 1
            while after < len(self._tokens) and (
                self._tokens[after][0] == "cast" or self._tokens[after][1] == ")"
            ):
                after += 1
            if after < len(self._tokens) and self._tokens[after][0] == "operator":
                operator, column = self._tokens[after][1], self._name_after(after)
        if operator in _KEY_OPERATORS:
            return Role.KEY, column
        return (Role.RANGE, column) if operator in _RANGE_OPERATORS else (Role.OTHER, "")

    def _name_before(self, index: int) -> str:
        """The column before an operator: ``a.b =``, ``lower(a.b) =``, ``a.b NOT IN``."""
        index -= 1
        while index >= 0 and (self._tokens[index][1].lower() in (")", "not") or self._tokens[index][0] == "cast"):
            index -= 1
        parts: list[str] = []
        while index >= 0 and self._tokens[index][0] in ("word", "quoted"):
            parts.insert(0, self._tokens[index][1].strip('"`'))
            if index < 2 or self._tokens[index - 1][1] != ".":
                break
            index -= 2
        return ".".join(parts)

    def _name_after(self, index: int) -> str:
        parts: list[str] = []
        index += 1
        while index < len(self._tokens) and self._tokens[index][0] in ("word", "quoted"):
            parts.append(self._tokens[index][1].strip('"`'))
            if index + 1 >= len(self._tokens) or self._tokens[index + 1][1] != ".":
                break
            index += 2
        return ".".join(parts)


def _no_key(slot: Slot) -> Slot:
    return Slot(Role.OTHER, slot.source, slot.is_literal)


def _last(column: str) -> str:
    return column.rpartition(".")[2].lower()


def slots_of(statement: str) -> Slots:
    """Read a statement as it goes to the driver; about 1 µs a token, so its result is to be remembered."""
    if len(statement) > _LONGEST:
        return Slots((), is_batch=True)  # nobody writes one of these for a single key
    return _Reader(statement).read()
