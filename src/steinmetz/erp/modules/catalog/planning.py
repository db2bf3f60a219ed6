"""What an import changes: the outline of a file against the tree that is stored; pure.

A node that a file has made belongs to that file: its title, icon, kind, parent and order are the file's, whatever
was done to them by hand. Its description and lowest role are the people's. It is found again by its **key**, the
steps of its path in the file; one whose path has changed is recognised by its last step, if no other comes into
question. What is not the file's is never changed, but that it goes where its parent goes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog import rules
from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.formats.outline import Entry, Outline, parents_of_any
from steinmetz.erp.modules.catalog.lint import LintRules
from steinmetz.erp.modules.catalog.rules import MAX_ID, MAX_LEVELS, RESERVED_STEPS, Kind, Naming

STEP_NUMBER = "~"
"""Before the number of a sibling of the same step in a key; no slug holds it."""


class Stored(Protocol):
    """What is looked at of a node in the catalogue."""

    @property
    def id(self) -> str: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def area(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def icon(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def min_role(self) -> Role: ...
    @property
    def position(self) -> int: ...
    @property
    def depth(self) -> int: ...
    @property
    def source(self) -> str | None: ...
    @property
    def source_key(self) -> str | None: ...


@dataclass(slots=True)
class Wanted:
    """A node as the file wants it."""

    entry: Entry
    key: str
    """Distinct within the file."""
    step: str
    """Its own part of the key."""
    kind: Kind
    id: str = ""
    parent_id: str | None = None
    area: str = ""
    position: int = 0
    stored: Stored | None = None
    """The node that it is already."""


@dataclass(frozen=True, slots=True)
class Change:
    """New values for a node that there is. ``is_new_version``: they are its own, and not only where it stands."""

    id: str
    parent_id: str | None
    area: str
    title: str
    icon: str
    kind: Kind
    position: int
    depth: int
    source_key: str | None
    is_new_version: bool


@dataclass(slots=True)
class Plan:
    """What is to be done, in this order: create (parents first), change, delete."""

    wanted: list[Wanted]
    created: list[Wanted] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    """Ids of nodes with another title, icon or kind."""
    moved: list[str] = field(default_factory=list)
    """Ids of nodes with another parent, or another place among the siblings they had."""
    pushed: list[str] = field(default_factory=list)
    """Ids of nodes that made room for others; their version stays."""
    deleted: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    """Ids of nodes that the file has no more, with nodes of others below."""

    def __bool__(self) -> bool:
        return bool(self.created or self.changes or self.deleted)

    @property
    def touched(self) -> list[str]:
        """Ids of the stored nodes that are changed, moved or deleted."""
        return list(dict.fromkeys([*self.changed, *self.moved, *self.deleted]))


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
    gone = _matched(wanted, own)
    _name(wanted, by_id.keys() | set(taken), held_against, findings)
    _place(wanted, stored, source)
    made = Plan(wanted)
    parent_of = {row.id: row.parent_id for row in stored} | {each.id: each.parent_id for each in wanted}
    made.kept, made.deleted = _kept_and_deleted(gone, parent_of)
    for node_id in made.kept:
        findings.kept(node_id)
    for node_id in made.deleted:
        if (min_role := by_id[node_id].min_role) is not Role.CLERK:
            findings.role_lost(node_id, min_role)
    _compare(made, stored, parent_of, findings)
    findings.of_nodes([each.id for each in wanted])
    return made


# Finding nodes again


def _matched(wanted: list[Wanted], own: Mapping[str, Stored]) -> list[Stored]:
    """Give each wanted node the stored one that it is; answer with the stored ones that nobody wants."""
    left = dict(own)
    for each in wanted:
        _match(each, left.pop(_expected_key(each, wanted), None))
    lonely = [each for each in wanted if each.stored is None]
    old_areas = [row for key, row in left.items() if "/" not in key and row.parent_id is None]
    new_areas = [each for each in lonely if each.entry.parent is None]
    if len(old_areas) == len(new_areas) == 1 and sum(each.entry.parent is None for each in wanted) == 1:
        # The one heading of the file was renamed: it is the file's still.
        _match(new_areas[0], left.pop(old_areas[0].source_key or ""))
    wanted_steps = Counter(_plain_step(each.step) for each in lonely)
    stored_steps: dict[str, list[str]] = defaultdict(list)
    for key in left:
        stored_steps[_plain_step(key.rpartition("/")[2])].append(key)
    families = _Families(wanted, own, left)
    for each in lonely:
        if each.stored is not None:
            continue
        key = _expected_key(each, wanted)
        if key not in left and each.entry.own_id is None:
            step = _plain_step(each.step)
            so_called = stored_steps.get(step, ())
            if len(so_called) == wanted_steps[step] == 1 and so_called[0] in left:
                key = so_called[0]
            else:
                key = families.renamed(each, left) or key
        _match(each, left.pop(key, None))
    return list(left.values())


class _Families:
    """Whose children are whose: a branch that was renamed is known by them."""

    MOST = 50
    """So many branches below one node are compared with one that is new; where more went, nobody can tell."""

    def __init__(self, wanted: Sequence[Wanted], own: Iterable[str], left: Iterable[str]) -> None:
        self._wanted = wanted
        self._steps: dict[int, set[str]] = defaultdict(set)
        """Of the wanted children, by the place of their parent."""
        self._stored_steps: dict[str, set[str]] = defaultdict(set)
        """Of the stored children, by the key of their parent."""
        self._places = {id(each): place for place, each in enumerate(wanted)}
        for each in wanted:
            if each.entry.parent is not None:
                self._steps[each.entry.parent].add(each.step)
        for key in own:
            above, _, step = key.rpartition("/")
            self._stored_steps[above].add(step)
        self._gone: dict[str, list[str]] = defaultdict(list)
        """Branches that nobody wants by their key, by the key of their parent."""
        for key in left:
            if key in self._stored_steps:
                self._gone[key.rpartition("/")[0]].append(key)

    def renamed(self, each: Wanted, left: Mapping[str, Stored]) -> str | None:
        """The key of the one branch below the same parent that shares most of its children with the new one."""
        steps = self._steps.get(self._places[id(each)])
        above = None if each.entry.parent is None else self._wanted[each.entry.parent].stored
        if not steps or above is None or above.source_key is None:
            return None
        gone = self._gone.get(above.source_key, ())
        if len(gone) > self.MOST:
            return None
        alike = [key for key in gone if key in left and _is_most(steps, self._stored_steps[key])]
        return alike[0] if len(alike) == 1 else None


def _is_most(steps: set[str], others: set[str]) -> bool:
    return 2 * len(steps & others) > max(len(steps), len(others))


def _match(each: Wanted, row: Stored | None) -> None:
    each.stored = row


def _expected_key(each: Wanted, wanted: Sequence[Wanted]) -> str:
    """Where the node was, if it lies below the same node as before."""
    if each.entry.own_id is not None or each.entry.parent is None:
        return each.key
    above = wanted[each.entry.parent].stored
    return f"{above.source_key}/{each.step}" if above is not None else each.key


def _plain_step(step: str) -> str:
    return step.partition(STEP_NUMBER)[0]


# Ids and places


def _name(
    wanted: Iterable[Wanted], existing: Collection[str], held_against: LintRules, findings: Findings
) -> None:
    taken = _Taken(existing)
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


class _Taken:
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
    taken: _Taken,
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


def _place(wanted: Sequence[Wanted], stored: Sequence[Stored], source: str) -> None:
    """Positions among the siblings: those that stand in order stay, the others are pushed as far as needed."""
    siblings: dict[str | None, list[Wanted]] = defaultdict(list)
    for each in wanted:
        siblings[each.parent_id].append(each)
    for parent_id, children in siblings.items():
        standing = [
            each.stored.position if each.stored is not None and each.stored.parent_id == parent_id else None
            for each in children
        ]
        first_free = 0
        if parent_id is None:  # between areas of other files there is no order to keep
            first_free = 1 + max((row.position for row in stored if row.parent_id is None), default=-1)
        for each, position in zip(children, _positions(standing, first_free), strict=True):
            each.position = position


def _positions(standing: Sequence[int | None], first_free: int) -> list[int]:
    """Rising positions that leave as many as possible of ``standing`` where they are."""
    stays = _longest_rise(standing)
    found: list[int] = []
    following = first_free if not stays else 0
    for place, position in enumerate(standing):
        if place in stays and position is not None:
            following = max(following, position)
        found.append(following)
        following += 1
    return found


def _longest_rise(numbers: Sequence[int | None]) -> set[int]:
    """The places of a longest strictly rising part of ``numbers`` (patience sorting)."""
    tails: list[int] = []
    places: list[int] = []
    before: list[int] = [-1] * len(numbers)
    for place, number in enumerate(numbers):
        if number is None:
            continue
        height = bisect_left(tails, number)
        if height == len(tails):
            tails.append(number)
            places.append(place)
        else:
            tails[height], places[height] = number, place
        before[place] = places[height - 1] if height else -1
    rise: set[int] = set()
    place = places[-1] if places else -1
    while place >= 0:
        rise.add(place)
        place = before[place]
    return rise


# What that comes to


def _kept_and_deleted(gone: Sequence[Stored], parent_of: Mapping[str, str | None]) -> tuple[list[str], list[str]]:
    """Of the nodes that the file has no more: those with a lasting node below them, and the others."""
    doomed = {row.id for row in gone}
    kept: set[str] = set()
    for node_id, parent_id in parent_of.items():
        if node_id in doomed:
            continue
        while parent_id in doomed and parent_id not in kept:
            kept.add(parent_id)
            parent_id = parent_of[parent_id]
    return [row.id for row in gone if row.id in kept], [row.id for row in gone if row.id not in kept]


def _compare(
    made: Plan, stored: Sequence[Stored], parent_of: Mapping[str, str | None], findings: Findings
) -> None:
    """Fill in what is created and changed, and who else goes where his parent goes."""
    rises: dict[str | None, list[Wanted]] = defaultdict(list)
    for each in made.wanted:
        if each.stored is not None and each.stored.parent_id == each.parent_id:
            rises[each.parent_id].append(each)
    in_order: set[str] = set()
    for children in rises.values():
        rise = _longest_rise([each.stored.position for each in children if each.stored is not None])
        in_order.update(children[place].id for place in rise)
    for each in made.wanted:
        row, entry = each.stored, each.entry
        if row is None:
            made.created.append(each)
            continue
        is_changed = (row.title, row.icon, row.kind) != (entry.title, entry.icon, each.kind)
        is_moved = row.parent_id != each.parent_id or each.id not in in_order
        is_pushed = not is_moved and row.position != each.position
        made.changed += [each.id] if is_changed else []
        made.moved += [each.id] if is_moved else []
        made.pushed += [each.id] if is_pushed else []
        is_elsewhere = (row.depth, row.area, row.source_key) != (entry.depth, each.area, each.key)
        if is_changed or is_moved or is_pushed or is_elsewhere:
            made.changes.append(
                Change(
                    each.id,
                    each.parent_id,
                    each.area,
                    entry.title,
                    entry.icon,
                    each.kind,
                    each.position,
                    entry.depth,
                    each.key,
                    is_changed or is_moved,
                )
            )
    made.changes += _followers(made, stored, parent_of, findings)


def _followers(
    made: Plan, stored: Sequence[Stored], parent_of: Mapping[str, str | None], findings: Findings
) -> list[Change]:
    """Nodes that are not the file's, below nodes that are: their depth and area are their parents' doing."""
    deleted = set(made.deleted)
    place = {each.id: (each.entry.depth, each.area) for each in made.wanted}
    below: dict[str, list[Stored]] = defaultdict(list)
    for row in stored:
        if row.parent_id is not None and row.id not in place and row.id not in deleted:
            below[row.parent_id].append(row)
    changes = []
    waiting = list(place.items())
    while waiting:
        parent_id, (depth, area) = waiting.pop()
        for row in below[parent_id]:
            if depth + 1 >= MAX_LEVELS:
                reason = (
                    f"{row.id}, which is not the file's, would lie deeper than {MAX_LEVELS} levels. Move it first."
                )
                findings.error(Code.TOO_DEEP, 0, reason, row.id)
                continue
            if (row.depth, row.area) != (depth + 1, area):
                changes.append(
                    Change(
                        row.id,
                        row.parent_id,
                        area,
                        row.title,
                        row.icon,
                        row.kind,
                        row.position,
                        depth + 1,
                        row.source_key,
                        is_new_version=False,
                    )
                )
            waiting.append((row.id, (depth + 1, area)))
    return changes


def visible_to(sees: Callable[[Role], bool], rows: Iterable[Stored]) -> Callable[[str], bool]:
    """Whether somebody sees a stored node: its own lowest role and those of all its ancestors allow it."""
    by_id = {row.id: row for row in rows}
    known: dict[str | None, bool] = {None: True}

    def is_visible(node_id: str) -> bool:
        way: list[str] = []
        current: str | None = node_id
        while current not in known and len(way) <= 2 * MAX_LEVELS:
            assert current is not None
            way.append(current)
            current = by_id[current].parent_id if current in by_id else None
        for step in reversed(way):
            parent_id = by_id[step].parent_id if step in by_id else None
            known[step] = known.get(parent_id, False) and (step not in by_id or sees(by_id[step].min_role))
        return known[node_id]

    return is_visible
