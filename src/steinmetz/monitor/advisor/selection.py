"""Which set of indexes is best: greedy and swap over sets, with a veto of every statement that would suffer.

The objective is the cost saved by all calls, less what writes pay to keep the indexes, less their size. Sets and
not single indexes, because two may be good only together: an index on one side of a join alone can make it slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from steinmetz.monitor.advisor.candidates import Candidate, is_prefix
from steinmetz.monitor.advisor.costs import NO_INDEXES, Costs, Indexes, Statement
from steinmetz.monitor.advisor.index import Index
from steinmetz.sql.facts import Verb

WORSE = 1.10
"""No statement may cost more than so many times what it cost before, for any parameters."""
MIN_GAIN = 0.20
"""An index must save this share of at least one statement's cost."""
MIN_SHARE = 0.005
"""And this share of the whole workload's; every index is one more thing to keep."""
LEAP = 0.20
"""Or leave at most this share of a statement's cost: a scan become a look-up, however rare it is as yet."""
EXTENSION_GAIN = 0.05
"""What a longer index must save on top of a shorter one, of the statements of its table."""
PAGE_BYTES = 8_192
MAX_INDEXES = 24
ROUNDS = 4
"""Of swapping."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Weights:
    """What keeping an index costs, in the engine's unit: an entry written, and a page of size.

    ``costs_tell_writes``: the engine's cost of an UPDATE or DELETE includes the indexes it keeps up.
    """

    entry: float = 2.0
    page: float = 0.05
    costs_tell_writes: bool = False

    @classmethod
    def of(cls, dialect: str) -> Weights:
        """PostgreSQL counts in sequential pages read, SQLite in steps of its virtual machine."""
        return cls(entry=12.0, page=20.0, costs_tell_writes=True) if dialect == "sqlite" else cls()


@dataclass(slots=True)
class Veto:
    """A statement that a set would make slower; ``ratio`` is how many times."""

    statement: Statement
    ratio: float
    index: Index | None = None
    is_measured: bool = False
    is_rule: bool = False


@dataclass(slots=True)
class Selection:
    """The set, what it saves (cost units), and why the others are not in it."""

    chosen: Indexes
    saved: float
    base: float
    rejected: dict[Index, str] = field(default_factory=dict)


class Selector:
    """Chooses among ``candidates``; ``banned`` are sets that running has shown to be bad."""

    def __init__(
        self,
        costs: Costs,
        candidates: Sequence[Candidate],
        together: Sequence[Indexes] = (),
        weights: Weights | None = None,
        progress: Progress = lambda done, total: None,
    ) -> None:
        self._costs = costs
        self._candidates = list(candidates)
        self._together = list(together)
        self._weights = weights or Weights()
        self._progress = progress
        self._by_table: dict[str, list[Statement]] = {}
        for statement in costs.statements:
            for table in statement.tables:
                self._by_table.setdefault(table, []).append(statement)
        self._upkeep: dict[Index, float] = {}
        self.base = sum(each.query.calls * costs.of(each, NO_INDEXES) for each in costs.statements)
        self.banned: dict[Indexes, str] = {}

    # -- the objective

    def upkeep(self, index: Index) -> float:
        """What an index costs over the whole workload."""
        if index not in self._upkeep:
            entries = sum(self._entries(statement, index) for statement in self._by_table.get(index.table, ()))
            pages = self._costs.size_bytes(index) / PAGE_BYTES
            self._upkeep[index] = entries * self._weights.entry + pages * self._weights.page
        return self._upkeep[index]

    def _entries(self, statement: Statement, index: Index) -> int:
        """How many entries of ``index`` all calls of a statement write."""
        query = statement.query
        if not statement.changes(index) or (self._weights.costs_tell_writes and query.verb is not Verb.INSERT):
            return 0
        return max(query.rows, query.calls) * (2 if query.verb is Verb.UPDATE else 1)

    def saved(self, indexes: Indexes, statements: Iterable[Statement]) -> float:
        """The cost that ``statements`` save, over all of their calls."""
        return sum(
            statement.query.calls * (self._costs.of(statement, NO_INDEXES) - self._costs.of(statement, indexes))
            for statement in statements
        )

    def worth(self, indexes: Indexes) -> float:
        statements = self._touched(indexes)
        return self.saved(indexes, statements) - sum(self.upkeep(index) for index in indexes)

    def veto(self, indexes: Indexes, statements: Iterable[Statement] | None = None) -> Veto | None:
        """The statement that would suffer most, if any would by more than `WORSE`."""
        worst: Veto | None = None
        names = {index.shown_name: index for index in indexes}
        for statement in self._touched(indexes) if statements is None else statements:
            for parameters in statement.sets:
                if self._costs.of(statement, NO_INDEXES) == 0:
                    continue
                before = self._costs.plan(statement, parameters, NO_INDEXES)
                after = self._costs.plan(statement, parameters, indexes)
                used = [names[name] for name in after.indexes - before.indexes if name in names]
                if not used and statement.query.verb is not Verb.SELECT:
                    continue  # it finds its rows as before; what it writes more is weighed, not forbidden
                ratio = after.cost / before.cost if before.cost else 1.0
                if ratio > WORSE and (worst is None or ratio > worst.ratio):
                    worst = Veto(statement, ratio, used[0] if used else None)
                for index in used:
                    if worst is None and self._costs.is_reckless(statement, index):
                        worst = Veto(statement, ratio, index, is_rule=True)
        return worst

    def _touched(self, indexes: Iterable[Index]) -> list[Statement]:
        tables = {index.table for index in indexes}
        found = {id(each): each for table in tables for each in self._by_table.get(table, ())}
        return list(found.values())

    # -- the search

    def select(self) -> Selection:
        moves = [frozenset({candidate.index}) for candidate in self._candidates]
        moves += [pair for pair in self._together if pair not in set(moves)]
        chosen = self._grow(NO_INDEXES, moves)
        for _ in range(ROUNDS):
            better = self._prune(self._swap(chosen))
            better = self._grow(better, moves)
            if better == chosen:
                break
            chosen = better
        return Selection(chosen, self.saved(chosen, self._touched(chosen)), self.base, self._reasons(chosen))

    def _is_allowed(self, indexes: Indexes) -> bool:
        return not any(banned <= indexes for banned in self.banned) and self.veto(indexes) is None

    def _grow(self, chosen: Indexes, moves: Sequence[Indexes]) -> Indexes:
        """Add what is worth most, again and again."""
        gains: dict[Indexes, float] = {}
        dirty = {index.table for move in moves for index in move}
        for done in range(MAX_INDEXES):
            if len(chosen) >= MAX_INDEXES:
                break
            for place, move in enumerate(moves):
                if move <= chosen or dirty.isdisjoint(self._reach(move)):
                    continue
                gains[move] = self._gain(chosen, move)
                self._progress(done * len(moves) + place, MAX_INDEXES * len(moves))
            ranked = sorted((each for each in gains.items() if each[1] > 0), key=lambda each: -each[1])
            grown = next((each for move, _ in ranked if (each := self._with(chosen, move)) is not None), None)
            if grown is None:
                break
            dirty = self._reach(grown ^ chosen)
            chosen = grown
            gains = {move: gain for move, gain in gains.items() if not move <= chosen}
        return chosen

    def _with(self, chosen: Indexes, move: Indexes) -> Indexes | None:
        """The set with a move, without what it makes needless; None if that is no other set, or not allowed."""
        together = chosen | move
        lean = frozenset(each for each in together if not self._is_needless(each, together))
        if lean == chosen:
            return None
        return next((each for each in (lean, together) if self._is_allowed(each)), None)

    def _reach(self, move: Indexes) -> set[str]:
        """The tables whose indexes a move may make more or less worth: all that share a statement with it."""
        return {table for statement in self._touched(move) for table in statement.tables} | {
            index.table for index in move
        }

    def _is_needless(self, index: Index, indexes: Indexes) -> bool:
        return any(index != other and is_prefix(index, other) for other in indexes)

    def _gain(self, chosen: Indexes, move: Indexes) -> float:
        """What a move adds; nothing if it does not help any statement well enough."""
        after = chosen | move
        statements = self._touched(move)
        saved = self.saved(after, statements) - self.saved(chosen, statements)
        upkeep = sum(self.upkeep(index) for index in move - chosen)
        if saved <= upkeep:
            return 0.0
        left = min((self._left(statement, chosen, after) for statement in statements), default=1.0)
        is_enough = left <= LEAP or (left <= 1 - MIN_GAIN and saved >= MIN_SHARE * self.base)
        return saved - upkeep if is_enough else 0.0

    def _left(self, statement: Statement, chosen: Indexes, after: Indexes) -> float:
        """Of a statement's cost."""
        before = self._costs.of(statement, chosen)
        return self._costs.of(statement, after) / before if before else 1.0

    def _at_stake(self, index: Index, chosen: Indexes) -> float:
        """What the statements that use an index still cost; those beside it do not count."""
        return sum(
            each.query.calls * self._costs.of(each, chosen)
            for each in self._touched({index})
            if index.shown_name in self._costs.used(each, chosen)
        )

    def _swap(self, chosen: Indexes) -> Indexes:
        """Replace one index by another of the same table while that is worth more."""
        for index in sorted(chosen):
            rest = chosen - {index}
            best, best_worth = chosen, self.worth(chosen)
            for candidate in self._candidates:
                other = candidate.index
                if other.table != index.table or other in chosen:
                    continue
                tried = rest | {other}
                worth = self.worth(tried)
                at_stake = self._at_stake(index, chosen) + self._at_stake(other, tried)
                if worth > best_worth + EXTENSION_GAIN * at_stake and self._is_allowed(tried):
                    best, best_worth = tried, worth
            chosen = best
        return chosen

    def _prune(self, chosen: Indexes) -> Indexes:
        """Leave out what the others make needless, and shorten what is longer than it needs to be."""
        for index in sorted(chosen, key=lambda each: (-len(each.columns), each)):
            without = chosen - {index}
            at_stake = self._at_stake(index, chosen)
            spare = EXTENSION_GAIN * at_stake if self._is_needless(index, chosen) else 0.0
            if self.worth(without) >= self.worth(chosen) - spare and self._is_allowed(without):
                chosen = without
                continue
            for candidate in sorted(self._candidates, key=lambda each: len(each.index.columns)):
                shorter = candidate.index
                if shorter == index or not is_prefix(shorter, index) or self._is_needless(shorter, without):
                    continue
                tried = without | {shorter}
                if self.worth(tried) >= self.worth(chosen) - EXTENSION_GAIN * at_stake and self._is_allowed(tried):
                    chosen = tried
                    break
        return chosen

    # -- why not

    def _reasons(self, chosen: Indexes) -> dict[Index, str]:
        """A sentence for each candidate that is not in the set."""
        return {
            candidate.index: self._reason(candidate.index, chosen)
            for candidate in self._candidates
            if candidate.index not in chosen
        }

    def _reason(self, index: Index, chosen: Indexes) -> str:
        alone = frozenset({index})
        for banned, reason in self.banned.items():
            if index in banned:
                return reason
        if (veto := self.veto(alone)) is not None and veto.index in (index, None):
            return sentence(veto)
        for other in chosen:
            if is_prefix(index, other):
                return f"{other.definition()} begins with it and does its work, too."
        statements = self._touched(alone)
        saved = self.saved(alone, statements)
        if saved <= 0:
            return "The planner would not use it."
        if saved <= self.upkeep(index):
            return (
                f"Writes and its size would cost more ({self.upkeep(index):,.0f}) than it saves ({saved:,.0f}, "
                "in the engine's unit of cost)."
            )
        instead = [other.definition() for other in sorted(chosen) if other.table == index.table]
        if instead:
            return f"Beside {' and '.join(instead)} it would save too little to be worth its upkeep."
        return f"It would save {saved / self.base:.2%} of the workload: too little for one more index to keep."


def sentence(veto: Veto) -> str:
    """Why a set is refused, in one sentence."""
    name = veto.statement.query.name
    if veto.is_rule:
        return (
            f"It gives {name} its order but not its rows: for parameters that few rows have it would be read to "
            "its end."
        )
    how = "measured" if veto.is_measured else "estimated"
    return f"It would make {name} {veto.ratio:.1f} times as costly for some parameters ({how})."


def helped(costs: Costs, statements: Iterable[Statement], index: Index, chosen: Indexes) -> Mapping[str, float]:
    """By fingerprint, cost under the set over cost before, of the statements whose plans use the index."""
    return {
        statement.query.fingerprint: costs.of(statement, chosen) / before
        for statement in statements
        if index.shown_name in costs.used(statement, chosen) and (before := costs.of(statement, NO_INDEXES)) > 0
    }
