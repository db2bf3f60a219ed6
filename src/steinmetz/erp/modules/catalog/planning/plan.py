"""From what a file wants and what is stored to what is to be done."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog import rules
from steinmetz.erp.modules.catalog.formats.findings import Findings
from steinmetz.erp.modules.catalog.formats.outline import Outline, parents_of_any
from steinmetz.erp.modules.catalog.lint import LintRules
from steinmetz.erp.modules.catalog.planning import changes, matching, naming, places
from steinmetz.erp.modules.catalog.planning.changes import Plan
from steinmetz.erp.modules.catalog.planning.nodes import STEP_NUMBER, Stored, Wanted


def wanted_of(outline: Outline, held_against: LintRules) -> list[Wanted]:
    """The nodes of the outline with their kinds and keys, parents first."""
    entries = outline.entries
    parents = parents_of_any(entries)
    found: list[Wanted] = []
    steps: dict[int | None, Counter[str]] = defaultdict(Counter)
    for place, entry in enumerate(entries):
        kind = entry.kind or held_against.kind_of(
            entry.icon, is_area=entry.parent is None, is_leaf=place not in parents
        )
        if entry.own_id is not None:
            found.append(Wanted(entry, entry.own_id, entry.own_id, kind))
            continue
        step = rules.step_of(entry.title)  # never by the document's rules: those may change, keys may not
        siblings = steps[entry.parent]
        siblings[step] += 1
        if siblings[step] > 1:
            step = f"{step}{STEP_NUMBER}{siblings[step]}"
        key = step if entry.parent is None else f"{found[entry.parent].key}/{step}"
        found.append(Wanted(entry, key, step, kind))
    return found


def plan(
    source: str,
    wanted: list[Wanted],
    stored: Sequence[Stored],
    held_against: LintRules,
    findings: Findings,
    *,
    taken: Collection[str] = (),
) -> Plan:
    """What makes the nodes of ``source`` what the file wants. ``stored`` are all nodes of the catalogue.

    ``taken`` are further ids that must not be given. An error among ``findings`` means: do none of it.
    """
    by_id = {row.id: row for row in stored}
    own = {row.source_key: row for row in stored if row.source == source and row.source_key is not None}
    gone = matching.matched(wanted, own)
    naming.name(wanted, by_id.keys() | set(taken), held_against, findings)
    places.place(wanted, stored, source)
    made = Plan(wanted)
    parent_of = {row.id: row.parent_id for row in stored} | {each.id: each.parent_id for each in wanted}
    made.kept, made.deleted = changes.kept_and_deleted(gone, parent_of)
    for node_id in made.kept:
        findings.kept(node_id)
    for node_id in made.deleted:
        if (min_role := by_id[node_id].min_role) is not Role.CLERK:
            findings.role_lost(node_id, min_role)
    changes.compare(made, stored, parent_of, findings)
    findings.of_nodes([each.id for each in wanted])
    return made
