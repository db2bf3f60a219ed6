"""Figures kept between requests: asked for again only when a commit has changed what they were read from.

A figure is a function of a unit and of plain values, such as ``headcount(unit, day)``. What it answers is kept for
all answers that show it: the overview, the dashboard of each role, a widget by itself. Whoever is given a kept
figure has read what it was computed from (`steinmetz.cache.memo`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from steinmetz.cache import ResponseCache
    from steinmetz.erp.db import Unit

P = ParamSpec("P")
T = TypeVar("T")

KEPT_S = 300.0


class Recall:
    """The figures that one process keeps, in the memo of its ``cache``. Bounded by it."""

    def __init__(self, cache: ResponseCache) -> None:
        self._cache = cache
        self._kept: dict[Any, Callable[..., Awaitable[Any]]] = {}

    async def __call__(
        self, figure: Callable[Concatenate[Unit, P], Awaitable[T]], unit: Unit, *values: P.args, **named: P.kwargs
    ) -> T:
        kept = self._kept.get(figure)
        if kept is None:
            remember = self._cache.memo(KEPT_S, key=_without_unit)
            kept = self._kept.setdefault(figure, remember(figure))
        answer: T = await kept(unit, *values, **named)
        return answer


def _without_unit(unit: Unit, *values: Any, **named: Any) -> tuple[Any, ...]:
    return (*values, *sorted(named.items()))
