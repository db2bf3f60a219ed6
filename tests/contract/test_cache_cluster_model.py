"""All interleavings of one write with reads at two nodes, with Redis emptied, lost and found, or the writer dead.

The pure parts (`Following`, `Epochs`) are the very ones that run; Redis, the database and the steps of a node are
played. What the steps rest on is left out in turn, to see that each of them is needed.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from steinmetz.cache.policy.change_log import HOLD_S, Following, LogEntry, Op, Position
from steinmetz.cache.policy.epochs import Epochs, Mark
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation

CELL = frozenset({Relation("main", "cell")})
READS, WRITES = ReadSet(CELL), WriteSet(CELL)
LEASE_S = 5.0


@dataclass
class Kept:
    value: int
    sequence: int


class Redis:
    """What the Lua scripts do."""

    def __init__(self) -> None:
        self.lives = 0
        self.is_up = True
        self.empty()

    def empty(self) -> None:
        self.lives += 1
        self.number, self.tip = self.lives * 100, b"start"
        self.log: list[LogEntry] = []
        self.marks: set[tuple[str, int]] = set()
        self.offered: tuple[int, int, int] | None = None

    def position(self) -> Position:
        return Position(b"%d" % self.lives, self.number, self.tip)

    def tell(self, op: Op, node: str) -> bool:
        if not self.is_up:
            return False
        before, self.number = self.tip, self.number + 1
        self.tip = f"{node}:{op}:{self.number}".encode()
        self.log.append(LogEntry(self.number, before, self.tip, op, node, 1, WRITES))
        if op is not Op.JOIN:
            self.marks = self.marks | {(node, 1)} if op is Op.MARK else self.marks - {(node, 1)}
        return True


class Node:
    def __init__(self, name: str) -> None:
        self.name = name
        self.following = Following()
        self.epochs = Epochs(lease_s=LEASE_S)
        self.kept: Kept | None = None
        self.marks: dict[tuple[str, int], Mark] = {}
        self.own: Mark | None = None

    def find(self, now_s: float) -> Kept | None:
        for mark in self.epochs.overdue(now_s):
            self._bump(mark)
        return None if self.epochs.suspends(READS) else self.kept

    def keep(self, kept: Kept, now_s: float) -> bool:
        self.find(now_s)
        if not self.epochs.unmoved_since(kept.sequence, READS):
            return False
        self.kept = kept
        return True

    def _bump(self, mark: Mark) -> None:
        self.kept = None
        self.epochs.bump(mark)

    def own_mark(self, now_s: float) -> None:
        self.own = self.epochs.mark(WRITES, now_s)

    def own_bump(self) -> None:
        assert self.own is not None
        self._bump(self.own)

    def look(self, redis: Redis, now_s: float) -> bool:
        if not redis.is_up:
            return False
        known, position = self.following.position, redis.position()
        if self.following.must_reset(position, now_s) or not self._apply(
            redis, 0 if known is None else known.number
        ):
            before, self.marks = self.marks, {}
            for name in redis.marks:
                if name[0] != self.name:
                    self.marks[name] = self.epochs.mark(WRITES, now_s)
            for mark in before.values():
                self.epochs.unmark(mark)
            self.epochs.forget()
            self.kept = None
            redis.tell(Op.JOIN, self.name)
            position = redis.position()
            self.following.reset(position, now_s)
        assert self.following.confirm(position, now_s)
        return True

    def _apply(self, redis: Redis, number: int) -> bool:
        for entry in redis.log:
            if entry.number <= number:
                continue
            takes = self.following.takes(entry)
            if takes is None:
                return False
            if takes:
                name = (entry.node, entry.mark)
                if entry.op is Op.JOIN:
                    pass
                elif entry.node != self.name and entry.op is Op.MARK:
                    self.marks[name] = self.epochs.mark(WRITES, 0.0)
                elif entry.node != self.name:
                    mark = self.marks.pop(name, None)
                    self._bump(self.epochs.mark(WRITES, 0.0) if mark is None else mark)
                self.following.took(entry)
        assert self.following.position is not None
        return self.following.position.number >= redis.number


@dataclass
class Model:
    """``shortcuts`` are the rules that are left out."""

    events: list[str]
    shortcuts: frozenset[str] = frozenset()
    redis: Redis = field(default_factory=Redis)
    one: Node = field(default_factory=lambda: Node("one"))
    two: Node = field(default_factory=lambda: Node("two"))
    now_s: float = 0.0
    stored: int = 0
    acknowledged: bool = False
    seen: bool = False
    is_dead: bool = False
    written: int = 0
    failed_s: float | None = None
    reads: dict[str, list[object]] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    is_monotonic: bool = True
    """Whether what was read once, though not acknowledged, must be read from then on (H3)."""
    fault: str = ""

    def start(self) -> Model:
        """Both nodes know the log, one has kept the old value and offered it.

        Where Redis is lost or emptied under a mark, what was acknowledged is never forgotten, but a commit under
        way may be seen and then not; to have fewer states, node two does not read there.
        """
        self.is_monotonic = not {"down", "empty"} & set(self.events)
        self.left = {"one": 2, "two": int(self.is_monotonic)}
        for node in (self.one, self.two):
            node.look(self.redis, 0.0)
        self.one.keep(Kept(0, self.one.epochs.begin()), 0.0)
        self.redis.offered = (self.redis.lives, self.redis.number, 0)
        return self

    def moves(self) -> Iterator[str]:
        if not self.is_dead and not self.acknowledged:
            yield "write"
        for name in ("one", "two"):
            if name in self.reads or self.left[name]:
                yield name
        if self.events:
            yield "event"

    def make(self, move: str) -> None:
        if move == "write":
            self._write()
        elif move == "event":
            self._happen(self.events.pop(0))
        else:
            self._read(getattr(self, move))

    # -- the writer is node two

    def _write(self) -> None:
        redis, two = self.redis, self.two
        if self.written == 0:
            two.own_mark(self.now_s)
            if "no mark" not in self.shortcuts and not redis.tell(Op.MARK, "two"):
                self.failed_s = self.now_s
        elif self.written == 1:
            self.stored = 1
        elif redis.tell(Op.BUMP, "two"):
            two.own_bump()
            self.acknowledged = True
        else:
            self.failed_s = self.now_s if self.failed_s is None else self.failed_s
            if "no hold" in self.shortcuts or self.now_s >= self.failed_s + HOLD_S:
                two.own_bump()
                self.acknowledged = True
        self.written += 1 if self.written < 2 else 0

    def _happen(self, event: str) -> None:
        if event == "empty":
            self.redis.empty()
        elif event == "die":
            # The process dies, and with it its node: nothing is acknowledged.
            self.is_dead = True
            self.reads.pop("two", None)
            self.left["two"] = 0
        elif event in ("down", "up"):
            self.redis.is_up = event == "up"
        else:
            self.now_s += float(event)

    # -- a read at `strong`: ask, look up, fetch or compute, ask, keep

    def _read(self, node: Node) -> None:
        if node.name not in self.reads:
            self.left[node.name] -= 1
            self.reads[node.name] = ["ask", self.acknowledged or (self.seen and self.is_monotonic)]
        state = self.reads[node.name]
        match state[0]:
            case "ask":
                known = "no ask" in self.shortcuts or node.look(self.redis, self.now_s)
                state[0] = "find" if known else "alone"
            case "find":
                kept = node.find(self.now_s)
                if kept is not None:
                    self._answer(node, kept.value)
                elif not self._fetch(node):
                    state[:] = ["keep", state[1], Kept(self.stored, node.epochs.begin())]
            case "alone":
                self._answer(node, self.stored)
            case _:
                kept = state[2]
                assert isinstance(kept, Kept)
                if node.look(self.redis, self.now_s) and node.keep(kept, self.now_s):
                    assert node.following.position is not None
                    self.redis.offered = (self.redis.lives, node.following.position.number, kept.value)
                self._answer(node, kept.value)

    def _fetch(self, node: Node) -> bool:
        known, offered = node.following.position, self.redis.offered
        if not self.redis.is_up or offered is None or known is None:
            return False
        life, number, value = offered
        sequence = node.epochs.begin()
        if node is self.two and self.acknowledged and known.number < self.redis.number:
            return False
        believed = "believe" in self.shortcuts or node.following.is_unmoved_since(b"%d" % life, number, READS)
        if not believed or not node.keep(Kept(value, sequence), self.now_s):
            return False
        self._answer(node, value)
        return True

    def _answer(self, node: Node, value: int) -> None:
        must = self.reads.pop(node.name)[1]
        if must and not value:
            self.fault = f"old at {node.name} after it was new or acknowledged"
        self.seen = self.seen or bool(value)


def explore(events: list[str], shortcuts: frozenset[str] = frozenset()) -> tuple[int, set[str]]:
    """All ways to go on from all states; returns how many states there are, and the faults."""
    first = pickle.dumps(Model(events, shortcuts).start())
    seen, todo, faults = {first}, [first], set[str]()
    while todo:
        here = todo.pop()
        for move in pickle.loads(here).moves():
            model: Model = pickle.loads(here)
            model.make(move)
            if model.fault:
                faults.add(model.fault)
                continue
            there = pickle.dumps(model)
            if there not in seen:
                seen.add(there)
                todo.append(there)
    return len(seen), faults


@pytest.mark.parametrize(
    "events",
    [[], ["empty"], ["die", str(LEASE_S + 1)], ["down", "2", "up"], ["down", "up"], ["down", "0.5", "up"]],
    ids=" ".join,
)
def test_no_interleaving_gives_an_old_answer(events: list[str]) -> None:
    states, faults = explore(events)
    assert faults == set()
    assert states > 300


@pytest.mark.parametrize(
    ("events", "shortcut"),
    [([], "no ask"), ([], "no mark"), ([], "believe"), (["down", "0.5", "up"], "no hold")],
    ids=str,
)
def test_without_any_one_of_the_rules_there_is_one_that_does(events: list[str], shortcut: str) -> None:
    assert explore(events, frozenset({shortcut}))[1] != set()
