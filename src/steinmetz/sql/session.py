"""What a connection's names mean: its search_path and its role, as far as its own statements have told.

Nobody asks the server: a connection begins like every other of its engine, and the hook sees each SET that
follows. Where one cannot be followed (a function that runs dynamic SQL, a temporary table, a value that is not in
the text) the connection is *blurred*: names are then matched in all schemas, which is sound whatever they mean.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from steinmetz.sql.facts import Verb
from steinmetz.sql.shape import Shape

_SET = re.compile(
    r"\s*set\s+(?P<scope>local\s+|session\s+)?"
    r"(?:(?P<path>search_path|schema)(?:\s*=\s*|\s+to\s+|\s+)|role\s+)(?P<value>[^;]*?)\s*;?\s*",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"""(?:[\w$.\-\s,]|"[^"]*"|'[^'\\]*')+""")
_MOVING = frozenset({"search_path", "schema", "role", "authorization", "session_authorization"})
_TEMPORARY = frozenset({"temp", "temporary", "pg_temp"})
_SET_CONFIG = re.compile(r"set_config\s*\(\s*'([^']*)'", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Session:
    """What the meaning of names depends on besides the schema; None is what the engine's connections begin with.

    ``search_path`` and ``role`` are as SET was given them.
    """

    search_path: str | None = None
    role: str | None = None


BEGINNING = Session()
BLURRED = "blurred"
"""The situation of all connections of whose session too little is known."""


class Seat:
    """One connection's session: now, and as it will be when the transaction ends."""

    __slots__ = ("_at_commit", "_at_rollback", "_blurred", "_now", "moved")

    def __init__(self) -> None:
        self._now = BEGINNING
        self._at_commit = BEGINNING
        self._at_rollback = BEGINNING
        self._blurred = False
        self.moved = False  # by the statement that is being learnt

    @property
    def session(self) -> Session | None:
        """None if it is not known."""
        return None if self._blurred else self._now

    @property
    def situation(self) -> Hashable:
        session = self.session
        return BLURRED if session is None else session

    def blur(self) -> None:
        """Names may mean anything on this connection from now on."""
        self._blurred = True

    def ended(self, *, committed: bool) -> None:
        """The transaction is over: what was SET LOCAL is undone, and all of it after a rollback."""
        if committed:
            self._at_rollback = self._at_commit
        self._now = self._at_commit = self._at_rollback

    def follow(self, shape: Shape, statement: str, parameters: Any, *, autocommit: bool) -> bool:
        """Take note of a statement that is about to run; returns whether every run of it must be noted."""
        if shape.head in ("set", "reset", "discard"):
            return self._set(shape, statement, autocommit)
        if shape.verb is Verb.TRANSACTION:
            if self._now == BEGINNING or shape.head not in ("rollback", "abort", "commit", "end"):
                return False
            if self._now != self._at_rollback:
                self.blur()  # ROLLBACK TO undoes some of it, and a COMMIT in a text is not told to `ended`
            return True
        if shape.verb is Verb.DDL:
            if shape.opaque or not _TEMPORARY.isdisjoint(shape.identifiers):
                self.blur()
            return True
        if "set_config" in shape.called:
            names = [name.lower() for name in _SET_CONFIG.findall(statement)]
            if len(names) < statement.lower().count("set_config"):
                names += [str(value).lower() for value in _texts(parameters)]
            if not names or not _MOVING.isdisjoint(names):
                self.blur()
            return True  # its values may differ at every run
        if shape.several or shape.head in ("do", "call", "execute"):
            self.blur()
            return True
        return False

    def _set(self, shape: Shape, statement: str, autocommit: bool) -> bool:
        match = _SET.fullmatch(statement)
        if match is None:
            if shape.head == "set" and _MOVING.isdisjoint(shape.identifiers):
                return False  # of no concern to names
            self.blur()
            return True
        value = match["value"].strip()
        path = match["path"] is not None
        local = (match["scope"] or "").strip().lower() == "local"
        if not _PLAIN.fullmatch(value) or value.lower() == "default" or (local and autocommit):
            self.blur()
            return True
        self._now = _with(self._now, path, value)
        if not local:
            self._at_commit = _with(self._at_commit, path, value)
            if autocommit:
                self._at_rollback = self._at_commit
        return True


def _with(session: Session, path: bool, value: str) -> Session:
    return Session(value, session.role) if path else Session(session.search_path, value)


def _texts(parameters: Any) -> Iterator[Any]:
    values = parameters.values() if isinstance(parameters, Mapping) else parameters or ()
    for value in values:
        if isinstance(value, tuple | list | Mapping):
            yield from _texts(value)
        else:
            yield value
