"""The proof: every statement of the workload really run, with each of its stored parameters, before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from steinmetz.monitor.advisor.costs import NO_INDEXES, Costs, Indexes, Statement
from steinmetz.monitor.advisor.index import Index
from steinmetz.monitor.advisor.selection import WORSE, Progress, Veto
from steinmetz.monitor.advisor.workload import ParameterSet
from steinmetz.monitor.dialects.base import CannotExplain, Proof
from steinmetz.sql.facts import Verb

SLACK = 3.0
"""Steps, or rows and buffers, that do not count as worse: below it a ratio says nothing."""

Done = Callable[[], None]


@dataclass(slots=True)
class Runs:
    """The work of one statement before and after, by its parameter sets; ``refusal`` if it could not be run."""

    statement: Statement
    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    refusal: str = ""

    @property
    def times_less(self) -> float | None:
        """Work before over work after, each parameter set as often as it was seen."""
        before = sum(seen * each for seen, each in zip(self.seen, self.before, strict=True))
        after = sum(seen * each for seen, each in zip(self.seen, self.after, strict=True))
        return before / after if after else None

    @property
    def worst(self) -> float | None:
        """The same of the parameters that fare worst."""
        ratios = [before / after for before, after in zip(self.before, self.after, strict=True) if after]
        return min(ratios, default=None)

    @property
    def suffers(self) -> float:
        """How many times more work the parameters that fare worst need, 0 if that is not worth a word."""
        ratios = (
            after / before
            for before, after in zip(self.before, self.after, strict=True)
            if before and after > WORSE * before + SLACK
        )
        return max(ratios, default=0.0)


class Verification:
    """Runs statements by a `Proof`; the work before is measured once."""

    def __init__(self, proof: Proof, costs: Costs, progress: Progress = lambda done, total: None) -> None:
        self._proof = proof
        self._costs = costs
        self._progress = progress
        self._before: dict[tuple[str, int], float | str] = {}

    def run(self, statements: Iterable[Statement], chosen: Indexes) -> list[Runs]:
        """The work of each statement that touches a table of ``chosen``. All before, then all after: the indexes
        change twice only."""
        tables = {index.table for index in chosen}
        touched = [each for each in statements if tables & each.tables and not each.is_implied]
        total = 2 * sum(len(statement.query.sets()) for statement in touched)
        done = 0
        runs = [Runs(statement) for statement in touched]
        for each in runs:
            for parameters in each.statement.query.sets():
                self._measure_before(each, parameters)
                done += 1
                self._progress(done, total)
        for each in runs:
            for parameters in each.statement.query.sets():
                if not each.refusal:
                    self._measure_after(each, parameters, chosen)
                done += 1
                self._progress(done, total)
        return runs

    def _measure_before(self, runs: Runs, parameters: ParameterSet) -> None:
        key = (runs.statement.query.fingerprint, id(parameters))
        if key not in self._before:
            try:
                self._before[key] = self._work(runs.statement, parameters, NO_INDEXES)
            except CannotExplain as reason:
                self._before[key] = str(reason)
        known = self._before[key]
        if isinstance(known, str):
            runs.refusal = known
        else:
            runs.before.append(known)
            runs.seen.append(parameters.seen)

    def _measure_after(self, runs: Runs, parameters: ParameterSet, chosen: Indexes) -> None:
        try:
            runs.after.append(self._work(runs.statement, parameters, chosen))
        except CannotExplain as reason:
            runs.refusal = str(reason)
            runs.before, runs.after, runs.seen = [], [], []

    def _work(self, statement: Statement, parameters: ParameterSet, adding: Indexes) -> float:
        text = statement.query.text_of(parameters)
        return self._proof.run(text, parameters.values, adding=sorted(adding)).steps

    def vetoes(self, runs: Sequence[Runs], chosen: Indexes) -> list[tuple[Indexes, Veto]]:
        """The statements that suffer, each with the indexes that its plans use: they are to blame."""
        found = []
        for each in runs:
            if each.refusal or not each.suffers:
                continue
            used = self._costs.used(each.statement, chosen) - self._costs.used(each.statement, NO_INDEXES)
            blamed = frozenset(index for index in chosen if index.shown_name in used)
            if each.statement.query.verb is not Verb.SELECT and not blamed:
                continue  # it only writes into more indexes, and that was weighed
            guilty = blamed or frozenset(index for index in chosen if index.table in each.statement.tables)
            index = next(iter(guilty)) if len(guilty) == 1 else None
            found.append((guilty, Veto(each.statement, each.suffers, index, is_measured=True)))
        return found

    def harm(self, statement: Statement, index: Index) -> float:
        """How many times more work the worst parameters need with ``index`` alone; 0 if none suffer."""
        return self.run([statement], frozenset({index}))[0].suffers
