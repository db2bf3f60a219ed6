"""The ids of nodes: those that they have, and new ones."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from steinmetz.erp.modules.catalog import rules
from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.lint import LintRules
from steinmetz.erp.modules.catalog.planning.nodes import Wanted
from steinmetz.erp.modules.catalog.rules import MAX_ID, RESERVED_STEPS, Naming


def name(wanted: Iterable[Wanted], existing: Collection[str], held_against: LintRules, findings: Findings) -> None:
    taken = Taken(existing)
    so_far: list[Wanted] = []
    for place, each in enumerate(wanted):
        so_far.append(each)
        above = None if each.entry.parent is None else so_far[each.entry.parent]
        each.parent_id = None if above is None else above.id
        if each.stored is not None:
            each.id = each.stored.id
        else:
            each.id = _new_id(each, above, so_far, taken, held_against, findings, place)
            taken.ids.add(each.id)
        each.area = rules.area_of_root(each.id) if above is None else above.area


class Taken:
    """Ids that are given, and how far the numbers of equal titles below one parent have come."""

    def __init__(self, ids: Collection[str]) -> None:
        self.ids = set(ids)
        self._attempts: dict[tuple[str | None, str], int] = {}

    def free(self, parent_id: str | None, title: str, naming: Naming) -> str | None:
        """A free id; a thousand siblings of one title do not each begin to count anew."""
        at = parent_id, rules.step_of(title, naming)
        attempt = self._attempts.get(at, 1)
        given = rules.node_id(parent_id, title, self.ids, naming, first_attempt=attempt)
        self._attempts[at] = attempt + 1
        return given


def _new_id(
    each: Wanted,
    above: Wanted | None,
    so_far: Sequence[Wanted],
    taken: Taken,
    held_against: LintRules,
    findings: Findings,
    place: int,
) -> str:
    naming, entry = held_against.naming, each.entry
    if entry.own_id and above is not None and held_against.explicit_ids:
        explicit = f"{so_far[0].id}/{entry.own_id}"
        if _is_usable(explicit, naming) and explicit not in taken.ids:
            return explicit
        findings.warn(
            Code.ID_REPLACED,
            entry.line,
            "Its id is none that can stand in an address; it got another.",
            entry.own_id,
            place,
        )
    parent = above
    while True:
        parent_id = None if parent is None else parent.id
        if (given := taken.free(parent_id, entry.title, naming)) is not None:
            break
        # No room below: every node on the way up has more, and an area has plenty.
        assert parent is not None
        parent = None if parent.entry.parent is None else so_far[parent.entry.parent]
    if parent is not above:
        findings.note(
            Code.ID_SHORTENED,
            entry.line,
            f"The ids above it are so long that it is called {given}.",
            entry.title,
            place,
        )
    elif above is None and given != rules.node_id(None, entry.title, (), naming):
        reason = f"Another area has its id; this one is called {given}."
        findings.note(Code.ID_TAKEN, entry.line, reason, entry.title, place)
    return given


def _is_usable(node_id: str, naming: Naming) -> bool:
    """Whether an id that a file gives is one that we could have given."""
    steps = node_id.split("/")
    return (
        len(node_id) <= MAX_ID
        and all(step and step == rules.slug(step, naming) for step in steps)
        and steps[-1] not in RESERVED_STEPS
    )
