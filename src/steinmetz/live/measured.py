"""What a coroutine costs: the time in which it holds the event loop, without that in which it waits."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

from steinmetz.clock import perf_ns

T = TypeVar("T")


class Measured(Generic[T]):
    """Awaited in place of ``coroutine``, in the same task: what it awaits, and what is thrown into it, is passed
    on as it is (trap T27). ``spent_ns`` is of its steps up to now."""

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self.spent_ns = 0

    def __await__(self) -> Generator[Any, Any, T]:
        step, given = self._coroutine.send, None
        try:
            while True:
                started_ns = perf_ns()
                try:
                    awaited = step(given)
                except StopIteration as end:
                    value: T = end.value
                    return value
                finally:
                    self.spent_ns += perf_ns() - started_ns
                try:
                    step, given = self._coroutine.send, (yield awaited)
                except BaseException as error:
                    step, given = self._coroutine.throw, error
        finally:
            self._coroutine.close()
