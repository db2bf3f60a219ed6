"""Finding the nodes of a file again among those it has made before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from steinmetz.erp.modules.catalog.planning.nodes import STEP_NUMBER, Stored, Wanted


def matched(wanted: list[Wanted], own: Mapping[str, Stored]) -> list[Stored]:
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
    families = Families(wanted, own, left)
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


class Families:
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
