"""From a workload to advice: read, think up, weigh, prove, report. Decides; asks the database by its two ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from steinmetz.monitor.advisor.advice import (
    Advice,
    Creation,
    Effect,
    Gain,
    Rejection,
    Removal,
    Unheard,
    by_interest,
)
from steinmetz.monitor.advisor.candidates import candidates
from steinmetz.monitor.advisor.costs import NO_INDEXES, Costs, Indexes, Statement, referring, understood
from steinmetz.monitor.advisor.existing import needless
from steinmetz.monitor.advisor.index import Index
from steinmetz.monitor.advisor.selection import Selection, Selector, Weights, sentence
from steinmetz.monitor.advisor.verification import Runs, Verification
from steinmetz.monitor.advisor.workload import Workload
from steinmetz.monitor.dialects.base import Proof, Table, WhatIf

PROOF_ROUNDS = 5
"""Sets that running may refute, each with a new search after it."""
HARM_PROVEN = 3
"""Refused candidates whose harm is shown by running them, too."""

Told = Callable[[str, int, int], None]
"""Hears what is being done, how much of it is done, and how much there is."""


def _silent(what: str, done: int, total: int) -> None:
    return


def advise(
    workload: Workload,
    what_if: WhatIf,
    dialect: str,
    *,
    proof: Proof | None = None,
    told: Told = _silent,
    weights: Weights | None = None,
) -> Advice:
    """The best set of indexes for ``workload`` that the advisor can find, and what need not be there.

    With ``proof`` every statement is run before and after; a set under which one suffers is given up.
    """
    told("Reading statements", 0, 1)
    tables = what_if.tables()
    statements = understood(workload.queries, tables, dialect)
    costs = Costs(what_if, statements)
    readings = [(each.query, each.reading) for each in costs.statements if each.reading is not None]
    keys = {key: None for each in costs.statements for key in referring(each, tables)}
    thought = candidates(readings, tables, dialect, keys)
    selector = Selector(
        costs,
        thought.all,
        thought.together,
        weights or Weights.of(dialect),
        lambda done, total: told("Weighing indexes", done, total),
    )
    selection = selector.select()
    runs: list[Runs] = []
    if proof is not None:
        verification = Verification(proof, costs, lambda done, total: told("Running statements", done, total))
        selection, runs = _proven(selector, selection, verification, costs)
        _show_harm(selection, selector, verification, thought.tempting(selection.chosen))
    told("Looking for needless indexes", 0, 1)
    advice = Advice(
        dialect=dialect,
        statements=sum(not each.is_implied for each in statements),
        calls=workload.calls,
        parameter_sets=sum(len(query.parameter_sets) + len(query.samples) for query in workload.queries),
        candidates=len(thought.all),
        left_out=thought.left_out,
        saved_share=selection.saved / selection.base if selection.base else 0.0,
        create=_creations(costs, selection.chosen, runs, tables, dialect),
        drop=_removals(costs, tables, selection.chosen, dialect),
        rejected=by_interest(Rejection(index, reason) for index, reason in selection.rejected.items()),
        unheard=_unheard(statements, runs),
        is_verified=proof is not None,
    )
    advice.plans_asked = costs.asked
    told("Done", 1, 1)
    return advice


def _proven(
    selector: Selector, selection: Selection, verification: Verification, costs: Costs
) -> tuple[Selection, list[Runs]]:
    """The first set under which no statement suffers when it is run."""
    for _ in range(PROOF_ROUNDS):
        runs = verification.run(costs.statements, selection.chosen)
        vetoes = verification.vetoes(runs, selection.chosen)
        if not vetoes:
            return selection, runs
        for guilty, veto in vetoes:
            selector.banned[guilty] = sentence(veto)
        selection = selector.select()
    # What is left may still harm: better no advice on those tables.
    blamed = {index.table for guilty, _ in vetoes for index in guilty}
    chosen = frozenset(index for index in selection.chosen if index.table not in blamed)
    selection = Selection(chosen, selector.worth(chosen), selection.base, selection.rejected)
    return selection, verification.run(costs.statements, chosen)


def _show_harm(
    selection: Selection, selector: Selector, verification: Verification, tempting: Sequence[Index]
) -> None:
    """Where a rule refused an index, say what it really does to the parameters that fare worst."""
    shown = 0
    for index in tempting:
        veto = selector.veto(frozenset({index}))
        if veto is None or not veto.is_rule or shown >= HARM_PROVEN:
            continue
        shown += 1
        ratio = verification.harm(veto.statement, index)
        if ratio:
            veto.ratio, veto.is_measured, veto.is_rule = ratio, True, False
            selection.rejected[index] = sentence(veto)


def _creations(
    costs: Costs, chosen: Indexes, runs: Sequence[Runs], tables: Mapping[str, Table], dialect: str
) -> list[Creation]:
    ran = {each.statement.query.fingerprint: each for each in runs if not each.refusal}
    creations = [_creation(costs, index, chosen, ran, tables[index.table], dialect) for index in sorted(chosen)]
    return sorted(creations, key=lambda each: (-each.saves_ms, each.index.shown_name))


def _creation(
    costs: Costs, index: Index, chosen: Indexes, ran: Mapping[str, Runs], table: Table, dialect: str
) -> Creation:
    helps, slows = [], []
    saves_ms = 0.0
    for statement in costs.statements:
        before, after = costs.of(statement, NO_INDEXES), costs.of(statement, chosen)
        lost = costs.of(statement, chosen - {index}) - after
        if before and (index.shown_name in costs.used(statement, chosen) or lost > 0):
            helps.append(_effect(statement, before / after if after else None, ran))
            saves_ms += statement.query.total_ns / 1e6 * min(1.0, max(0.0, lost / before))
        elif statement.changes(index):
            slows.append(_effect(statement, before / after if before and after else None, ran))
    helps.sort(key=lambda effect: -effect.total_ms)
    slows.sort(key=lambda effect: -effect.calls)
    return Creation(
        index=index,
        ddl=index.ddl(concurrently=dialect.startswith("postgres")),
        size_bytes=costs.size_bytes(index),
        saves_ms=saves_ms,
        helps=helps,
        slows=slows,
        note=_note(index, table),
    )


def _effect(statement: Statement, estimated: float | None, ran: Mapping[str, Runs]) -> Effect:
    query = statement.query
    gain = Gain(estimated)
    if (runs := ran.get(query.fingerprint)) is not None:
        gain.verified, gain.worst = runs.times_less, runs.worst
    return Effect(query.fingerprint, query.name, query.sql, query.calls, query.total_ns / 1e6, gain)


def _note(index: Index, table: Table) -> str:
    if len(index.columns) == 1 and not index.where and not index.columns[0].is_expression:
        column = table.columns.get(index.columns[0].name)
        if column is not None and column.distinct is not None and column.distinct >= 0.99 * table.rows > 0:
            return f"The values of {column.name} seem to be all different: make it UNIQUE if they must be."
    return ""


def _removals(costs: Costs, tables: Mapping[str, Table], chosen: Indexes, dialect: str) -> list[Removal]:
    concurrently = dialect.startswith("postgres")
    return [
        Removal(index, index.drop_ddl(concurrently=concurrently), costs.size_bytes(index), reason)
        for index, reason in needless(costs, tables, chosen)
    ]


def _unheard(statements: Sequence[Statement], runs: Sequence[Runs]) -> list[Unheard]:
    told = [Unheard(each.query.name, f"Not read: {each.unreadable}") for each in statements if each.unreadable]
    told += [Unheard(each.query.name, f"No plan: {each.unexplained}") for each in statements if each.unexplained]
    told += [Unheard(each.statement.query.name, f"Not run: {each.refusal}") for each in runs if each.refusal]
    return told
