"""Positions among siblings, with as few moves as possible."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence

from steinmetz.erp.modules.catalog.planning.nodes import Stored, Wanted


def place(wanted: Sequence[Wanted], stored: Sequence[Stored], source: str) -> None:
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
    stays = longest_rise(standing)
    found: list[int] = []
    following = first_free if not stays else 0
    for place, position in enumerate(standing):
        if place in stays and position is not None:
            following = max(following, position)
        found.append(following)
        following += 1
    return found


def longest_rise(numbers: Sequence[int | None]) -> set[int]:
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
