"""Exact facts instead of wide ones: statements wait here until the server has been asked about them.

A bounded queue and a bounded memory. Whoever learns a statement offers it and goes on with what its words tell;
one worker (`attendant.py`) takes one after the other to a connection of its own. What it finds is used from then
on, as long as schema and session are those it was found under.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from steinmetz.sql.catalogue import Catalogue
from steinmetz.sql.facts import StatementFacts
from steinmetz.sql.session import Session
from steinmetz.sql.shape import Shape

WAITING = 500
"""Statements that wait to be asked about; any further one is dropped, and offered again when it is learnt anew."""
REMEMBERED = 4_000
SAME_SHAPE = 8
"""Texts of one shape that are asked about: whoever writes values into the text makes a new one every time."""
REMEMBERED_LENGTH = 20_000
"""Longer texts are not asked about."""


@dataclass(frozen=True, slots=True)
class Question:
    """A statement and what is known of it. ``key`` is its text before lists were expanded, ``text`` as it can be
    prepared, with ``$1`` for its parameters."""

    key: str
    text: str
    shape: Shape
    session: Session
    catalogue: Catalogue
    generation: int


class Narrowing:
    """The statements that wait, and the narrower facts of those that did. Thread-safe."""

    def __init__(self) -> None:
        self.asked = 0
        self.failed = 0
        self.dropped = 0
        self._lock = threading.Lock()
        self._generation = 0
        self._waiting: deque[Question] = deque()
        self._offered: set[tuple[str, Session]] = set()
        self._shapes: dict[str, int] = {}
        self._found: dict[tuple[str, Session], StatementFacts | None] = {}
        self._wake: Callable[[], None] | None = None

    @property
    def is_pending(self) -> bool:
        """Whether anything waits, or is being asked about."""
        return bool(self._offered)

    @property
    def is_attended(self) -> bool:
        return self._wake is not None

    def attended_by(self, wake: Callable[[], None] | None) -> None:
        """``wake`` is called, on any thread, when something waits; None if nobody works here any more."""
        with self._lock:
            self._wake = wake
            if wake is None:
                self._waiting.clear()
                self._offered.clear()

    def known(self, key: str, session: Session) -> StatementFacts | None:
        return self._found.get((key, session))

    def offer(self, key: str, text: str, shape: Shape, session: Session, catalogue: Catalogue) -> None:
        """Have the statement asked about, unless that has been done."""
        wake = self._wake
        if wake is None or len(text) > REMEMBERED_LENGTH:
            return
        with self._lock:
            if (key, session) in self._offered or (key, session) in self._found:
                return
            asked = self._shapes.get(shape.fingerprint, 0)
            if len(self._waiting) >= WAITING or asked >= SAME_SHAPE:
                self.dropped += 1
                return
            while len(self._shapes) >= REMEMBERED:
                self._shapes.pop(next(iter(self._shapes)))
            self._shapes[shape.fingerprint] = asked + 1
            self._offered.add((key, session))
            self._waiting.append(Question(key, text, shape, session, catalogue, self._generation))
        wake()

    def next(self) -> Question | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def again(self, question: Question) -> None:
        """The server could not be asked; the statement is the next one once more."""
        with self._lock:
            if question.generation == self._generation:
                self._waiting.appendleft(question)

    def answered(self, question: Question, facts: StatementFacts | None) -> bool:
        """Keep the narrower facts (None: there are none); returns whether they are still of use."""
        identity = (question.key, question.session)
        with self._lock:
            self.asked += 1
            self.failed += facts is None
            self._offered.discard(identity)
            if question.generation != self._generation:
                return False
            while len(self._found) >= REMEMBERED:
                self._found.pop(next(iter(self._found)))
            self._found[identity] = facts
        return facts is not None

    def forget(self) -> None:
        """The schema has changed: nothing that was found holds, nor what is being asked now."""
        with self._lock:
            self._generation += 1
            self._found.clear()
            self._shapes.clear()
            self._waiting.clear()
            self._offered.clear()
