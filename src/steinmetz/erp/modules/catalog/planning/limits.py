"""What the rules of the catalogue would prune, divide and sort."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from steinmetz.erp.modules.catalog import rules
from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.formats.outline import Entry, Outline
from steinmetz.erp.modules.catalog.lint import LintRules


def observe_rules(outline: Outline, held_against: LintRules, findings: Findings, *, prunes: bool) -> None:
    """Tell what the rules would prune, divide and sort: it is never done."""
    below: dict[int, list[int]] = defaultdict(list)
    sizes = [1] * len(outline.entries)
    for place, entry in enumerate(outline.entries):
        if entry.parent is not None:
            below[entry.parent].append(place)
    for place, entry in reversed(list(enumerate(outline.entries))):
        if entry.parent is not None:
            sizes[entry.parent] += sizes[place]
    for parent, places in below.items():
        above = outline.entries[parent]
        if above.depth == held_against.max_levels - 1:
            reason = (
                f"{sizes[parent] - 1} nodes below it lie deeper than the {held_against.max_levels} levels of the "
                f"rules; {'they are not pruned' if prunes else 'they stay'}."
            )
            findings.note(Code.BEYOND_DEPTH, above.line, reason, above.title, parent)
        if len(places) > held_against.max_children:
            reason = (
                f"{len(places)} nodes lie directly below it; the rules divide beyond {held_against.max_children}, "
                "they stay together."
            )
            findings.note(Code.OVERFLOW, above.line, reason, above.title, parent)
    if held_against.sorts:
        unsorted = [parent for parent, places in below.items() if not _is_sorted(outline.entries, places)]
        if unsorted:
            above = outline.entries[unsorted[0]]
            reason = (
                f"The rules would sort the nodes below {len(unsorted)} others; they stay as the file has them."
            )
            findings.note(Code.OTHER_ORDER, above.line, reason, above.title)


def _is_sorted(entries: Sequence[Entry], places: Sequence[int]) -> bool:
    ranks = [rules.weight_and_title(entries[place].title) for place in places]
    return all(before <= after for before, after in pairwise(ranks))
