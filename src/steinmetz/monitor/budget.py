"""How many statements a piece of work may need: in tests, and for a route.

``assert_queries(max=3)`` is a context manager (sync and async) and a decorator; ``@budget(queries=5)`` marks a
function, such as an endpoint, whose runs are counted always.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from steinmetz.monitor.analysis.chatty import Asked
from steinmetz.monitor.analysis.place import Place
from steinmetz.monitor.capture.call_site import call_site
from steinmetz.monitor.capture.track import Span, current_span

if TYPE_CHECKING:
    from steinmetz.monitor.monitor import QueryMonitor
    from steinmetz.sql.engine import SqlHook

P = ParamSpec("P")
R = TypeVar("R")

KINDS_KEPT = 200
"""Different statements and lines that are listed; further ones are only counted."""

attached: weakref.WeakKeyDictionary[SqlHook, QueryMonitor] = weakref.WeakKeyDictionary()
"""The monitors that see statements now."""


class OverBudget(AssertionError):  # noqa: N818  the sentence reads better
    """More statements ran than were allowed; the message lists them with their lines, equal ones folded."""


class CountedSpan(Span):
    """Counts the statements of a block, by text and line."""

    __slots__ = ("kinds",)

    def __init__(self, name: str) -> None:
        super().__init__(name, current_span.get(), is_sample=False)
        self.kinds: dict[tuple[str, str, Place | None], list[int]] = {}

    def add(self, fingerprint: str, text: str, duration_ns: int) -> None:
        super().add(fingerprint, text, duration_ns)
        key = (fingerprint, text, call_site())
        runs = self.kinds.get(key)
        if runs is None:
            if len(self.kinds) >= KINDS_KEPT:
                return
            runs = self.kinds.setdefault(key, [0, 0])
        runs[0] += 1
        runs[1] += duration_ns

    def asked(self) -> list[Asked]:
        return [Asked(key[0], key[1], count, ns) for key, (count, ns) in list(self.kinds.items())]

    def told(self, allowed: int) -> str:
        """What ran where, for the message of an assertion."""
        lines = [f"{self.count} queries where at most {allowed} are allowed:"]
        for number, ((_, text, place), (count, ns)) in enumerate(list(self.kinds.items()), 1):
            times = f"{count} x " if count > 1 else ""
            lines.append(f"  {number}. {times}{text}  ({ns / 1e6:.1f} ms)")
            if place is not None:
                lines.append(f"       {place}")
        listed = sum(count for count, _ in self.kinds.values())
        if listed < self.count:
            lines.append(f"  and {self.count - listed} more")
        return "\n".join(lines)


class assert_queries:  # noqa: N801  it is used like a function
    """Raise `OverBudget` (an `AssertionError`) if more than ``max`` statements run inside, and say which.

    Tasks and threads started inside count, transaction control does not. Raises `RuntimeError` if no monitor is
    attached to any engine, as nothing would be counted. An exception from inside is not replaced.
    """

    def __init__(self, max: int) -> None:  # noqa: A002  the word that reads best at the call
        self._max = max
        self._span: CountedSpan | None = None
        self._token: tuple[Span | None] | None = None

    def __enter__(self) -> CountedSpan:
        if not attached:
            raise RuntimeError("assert_queries counts what a QueryMonitor sees: attach one to the engine first")
        self._span = CountedSpan("assert_queries")
        self._token = current_span.set(self._span)
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._span is None or self._token is None:
            raise RuntimeError("assert_queries was left before it was entered")
        span, self._span = self._span, None
        current_span.reset(self._token)
        if error is None and span.count > self._max:
            raise OverBudget(span.told(self._max))

    async def __aenter__(self) -> CountedSpan:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Allow each call of a function or coroutine function ``max`` statements."""
        return _around(function, lambda: assert_queries(self._max))


class _Budget:
    """One run of a function that has a budget."""

    def __init__(self, name: str, allowed: int) -> None:
        self._allowed = allowed
        self._span = CountedSpan(name)

    def __enter__(self) -> None:
        self._token = current_span.set(self._span)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        current_span.reset(self._token)
        if error is not None or self._span.count <= self._allowed:
            return
        monitors = set(attached.values())
        for monitor in monitors:
            monitor.patterns.exceeded(self._span.name, self._span.asked(), self._allowed)
        if any(monitor.patterns.strict for monitor in monitors):
            raise OverBudget(f"{self._span.name}: {self._span.told(self._allowed)}")


def budget(*, queries: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Allow each run of an endpoint, or of any other function, ``queries`` statements.

    A run that needs more is shown among the patterns; where the monitor is strict (in tests), it raises
    `OverBudget`.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        return _around(function, lambda: _Budget(function.__qualname__, queries))

    return decorate


def _around(function: Callable[P, R], block: Callable[[], Any]) -> Callable[P, R]:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{function.__qualname__} is a generator: its statements are also its consumer's")

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*arguments: P.args, **named: P.kwargs) -> Any:
            with block():
                return await function(*arguments, **named)

        return cast("Callable[P, R]", awaited)

    @functools.wraps(function)
    def called(*arguments: P.args, **named: P.kwargs) -> R:
        with block():
            return function(*arguments, **named)

    return called
