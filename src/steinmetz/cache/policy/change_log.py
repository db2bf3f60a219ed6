"""The cluster's log of writes, as one node follows it: what to apply, what to believe, when to forget.

Redis holds one state (`Position`) and a log that is cut at its old end. Every mark, bump, unmark and move takes
the next number and is appended in the same step, together with the *tip* of the log before it. A node that has
applied the log up to a position therefore knows that it has missed nothing: the next entry names the tip it knows.
If it does not, entries were trimmed, Redis was emptied, or a replica with less in it took over (H15, H20), and
nothing kept from before may be given.

A node that cannot tell of a write (Redis does not answer) holds its acknowledgement back for `HOLD_S`, and a node
believes what it keeps for `CONTACT_S` after its last answer from Redis, counted from when the question was sent.
The first is longer than the second, so a write that nobody could be told of is acknowledged only when nobody
relies on the log any more, and who comes back after so long forgets everything. Both are durations on one
machine's monotonic clock: no clock is ever compared with another's (H21).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from steinmetz.cache.policy.consistency import UNTOLD, Bounded, Consistency, Strong, Token
from steinmetz.sql.effects import ReadSet, WriteSet

CONTACT_S = 1.0
TIMEOUT_S = 0.25
HOLD_S = CONTACT_S + TIMEOUT_S
RING = 4_096
MAX_MARKS = 4_096


class Op(StrEnum):
    MARK = "mark"
    BUMP = "bump"
    UNMARK = "unmark"
    MOVE = "move"
    CLEAR = "clear"
    JOIN = "join"
    """A node begins, or begins anew; nothing is written."""


@dataclass(frozen=True, slots=True)
class Position:
    """How far the log goes: which life of Redis (``boot``), the last number, and the last entry's own name."""

    boot: bytes
    number: int
    tip: bytes

    def __repr__(self) -> str:
        return f"<Position {self.boot.decode()}.{self.number}>"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry: ``node`` is who wrote it, ``mark`` his number for the mark, ``before`` the tip it follows."""

    number: int
    before: bytes
    tip: bytes
    op: Op
    node: str
    mark: int
    writes: WriteSet


class Following:
    """Where one node stands in the log. Used on one thread; memory: O(ring + open marks).

    ``resets`` counts how often everything had to be forgotten.
    """

    def __init__(self, *, contact_s: float = CONTACT_S, ring: int = RING) -> None:
        self.position: Position | None = None
        self.confirmed_s = float("-inf")
        """When the question was sent to which the answer was "there is nothing that you do not know"."""
        self.resets = 0
        self._contact_s = contact_s
        self._moves: deque[tuple[int, WriteSet | None]] = deque(maxlen=ring)
        self._open: dict[tuple[str, int], tuple[int, WriteSet]] = {}
        self._floor = 0

    # -- news

    def must_reset(self, position: Position, sent_s: float) -> bool:
        """Whether what is kept cannot be brought up to ``position``, asked for at ``sent_s``."""
        known = self.position
        if known is None or known.boot != position.boot or position.number < known.number:
            return True
        if position.number == known.number and position.tip != known.tip:
            return True
        return sent_s - self.confirmed_s > self._contact_s

    def lose(self) -> None:
        """Until the next `reset`, nothing kept may be given."""
        self.position = None

    def reset(self, position: Position, sent_s: float) -> None:
        """Everything has been forgotten, and the marks that are up at ``position`` have been put up."""
        self.position = position
        self.confirmed_s = sent_s
        self.resets += 1
        self._moves.clear()
        self._open.clear()
        self._floor = position.number

    def takes(self, entry: LogEntry) -> bool | None:
        """Whether ``entry`` is the next; False if it is known already, None if something before it is missing."""
        known = self.position
        if known is None:
            return None
        if entry.number <= known.number:
            return False
        return True if entry.before == known.tip else None

    def took(self, entry: LogEntry) -> None:
        """``entry`` has been applied."""
        assert self.position is not None
        self.position = Position(self.position.boot, entry.number, entry.tip)
        if entry.op is Op.MARK:
            if len(self._open) >= MAX_MARKS:
                self._open.clear()
                self._floor = entry.number
            self._open[entry.node, entry.mark] = (entry.number, entry.writes)
        else:
            self._open.pop((entry.node, entry.mark), None)
        if entry.op in (Op.BUMP, Op.MOVE, Op.CLEAR):
            if len(self._moves) == self._moves.maxlen:
                self._floor = self._moves[0][0]
            self._moves.append((entry.number, None if entry.op is Op.CLEAR else entry.writes))

    def confirm(self, position: Position, sent_s: float) -> bool:
        """Redis stood at ``position`` after ``sent_s``; whether that has been reached."""
        known = self.position
        if known is None or known.boot != position.boot or known.number < position.number:
            return False
        self.confirmed_s = max(self.confirmed_s, sent_s)
        return True

    # -- what may be given

    def is_in_touch(self, now_s: float) -> bool:
        return self.position is not None and now_s - self.confirmed_s <= self._contact_s

    def stands(self, consistency: Consistency, tokens: Sequence[Token], now_s: float) -> bool:
        """Whether ``consistency`` is kept at ``now_s`` without asking Redis."""
        if isinstance(consistency, Strong) or not self.is_in_touch(now_s) or not self.has_reached(tokens):
            return False
        return not isinstance(consistency, Bounded) or now_s - self.confirmed_s <= consistency.within_ms / 1_000

    def has_reached(self, tokens: Sequence[Token]) -> bool:
        """Whether all that these tokens stand for has been applied; a token of another life only after asking."""
        known = self.position
        return known is not None and all(
            token is not UNTOLD and token.boot == known.boot and token.number <= known.number for token in tokens
        )

    def has_reached_asked(self, tokens: Sequence[Token]) -> bool:
        """`has_reached`, just after asking: a token of an earlier life is older than all that is kept now."""
        known = self.position
        return known is not None and all(
            token is not UNTOLD and (token.boot != known.boot or token.number <= known.number) for token in tokens
        )

    def is_unmoved_since(self, boot: bytes, number: int, reads: ReadSet) -> bool:
        """Whether what was good at ``number`` is so still, as far as has been applied.

        A mark since then that nobody took down counts, whether or not its lease has ended: here the end of a lease
        leaves no trace in the log (H4).
        """
        known = self.position
        if known is None or known.boot != boot or not self._floor <= number <= known.number:
            return False
        if any(marked > number and reads.concerned_by(writes) for marked, writes in self._open.values()):
            return False
        for moved, writes in reversed(self._moves):
            if moved <= number:
                break
            if writes is None or reads.concerned_by(writes):
                return False
        return True
