"""Naming a piece of work: as a callable that is run, a decorator, or a context manager.

A span is the current piece of work; it is a context variable, so tasks and ``asyncio.to_thread`` started inside
belong to it. Statements within a tracked span are part of its sample and make none of their own.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast

from steinmetz.clock import perf_ns
from steinmetz.sql.execution import watching
from steinmetz.sql.facts import StatementFacts
from steinmetz.sql.scope import Current, Ledger, current_scope

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext

P = ParamSpec("P")
R = TypeVar("R")

STATEMENTS_KEPT = 50
"""Statements that a span remembers for the detail view; further ones are only counted."""


class Span:
    """One tracked run and the statements in it; ``is_sample`` says that its time stands for theirs.

    Without a scope the outermost sample is the parent of the query patterns in it: ``open_ledger`` makes what they
    are written down in.
    """

    __slots__ = (
        "_above", "_open_ledger", "count", "is_sample", "ledger", "name", "parent", "slowest",
        "started_ns", "statements",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        parent: Span | None,
        *,
        is_sample: bool,
        open_ledger: Callable[[], Ledger | None] | None = None,
    ) -> None:
        self.name = name
        self.parent = parent
        self.is_sample: bool = is_sample or (parent is not None and parent.is_sample)
        self._above = parent.outermost if parent is not None else None
        self._open_ledger = open_ledger
        self.ledger: Any = None
        self.count = 0
        self.statements: list[tuple[str, int]] = []  # (text without values, ns)
        self.slowest: tuple[int, dict[str, object]] | None = None  # (ns, details) of a statement slow by itself
        self.started_ns = perf_ns()

    @property
    def outermost(self) -> Span | None:
        """The sample that no other is around. Who kept himself here would be left to the collector of cycles."""
        return self._above or (self if self.is_sample else None)

    def saw(
        self, facts: StatementFacts, duration_ns: int, parameters: Any, context: ExecutionContext | None
    ) -> None:
        """Count a statement here and in the spans around; ``context`` is None if it failed."""
        span: Span | None = self
        while span is not None:
            span.add(facts.fingerprint, facts.text, duration_ns)
            span = span.parent
        outermost = self.outermost
        if context is not None and outermost is not None and current_scope() is None:
            outermost._write_down(facts, duration_ns, parameters, context)

    def add(self, fingerprint: str, text: str, duration_ns: int) -> None:
        """Count one statement in this span alone."""
        self.count += 1
        if len(self.statements) < STATEMENTS_KEPT:
            self.statements.append((text, duration_ns))

    def _write_down(
        self, facts: StatementFacts, duration_ns: int, parameters: Any, context: ExecutionContext
    ) -> None:
        if self.ledger is None and self._open_ledger is not None:
            self.ledger = self._open_ledger()
        if self.ledger is not None:
            self.ledger.note(facts, duration_ns, parameters, context)

    def fetched(self, facts: StatementFacts, fetch_ns: int) -> None:
        """Add the time in which the rows of the latest such statement were stepped through."""
        span: Span | None = self
        while span is not None:
            if span.count <= STATEMENTS_KEPT:
                statements = span.statements
                for place in range(len(statements) - 1, -1, -1):
                    text, duration_ns = statements[place]
                    if text == facts.text:
                        statements[place] = (text, duration_ns + fetch_ns)
                        break
            if span.ledger is not None:
                span.ledger.fetched(facts, fetch_ns)
            span = span.parent


current_span = cast("Current[Span]", watching)
"""Spans are the only watches there are."""


class Sampler(Protocol):
    """Who takes the sample when a span has ended."""

    enabled: bool

    def ended(self, span: Span, ended_ns: int, error: BaseException | None, *, awaited: bool) -> None:
        """``awaited`` says that other code of the span's event loop may have run in it."""

    def span_ledger(self) -> Ledger | None:
        """In what the statements of a span without a scope are written down; None if in nothing."""


class Track:
    """``with track("name"):``, ``async with``, and ``@track("name")``."""

    __slots__ = ("_name", "_sampler", "_span", "_token")

    def __init__(self, name: str, sampler: Sampler) -> None:
        self._name = name
        self._sampler = sampler
        self._span: Span | None = None
        self._token: tuple[Span | None] | None = None

    def __enter__(self) -> Track:
        self._span = Span(self._name, current_span.get(), is_sample=True, open_ledger=self._sampler.span_ledger)
        self._token = current_span.set(self._span)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._exit(error, awaited=False)

    async def __aenter__(self) -> Track:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._exit(error, awaited=True)

    def _exit(self, error: BaseException | None, *, awaited: bool) -> None:
        ended_ns = perf_ns()
        if self._token is None:
            raise RuntimeError(f"track({self._name!r}) was left before it was entered")
        current_span.reset(self._token)
        self._token = None
        if self._span is not None:
            self._sampler.ended(self._span, ended_ns, error, awaited=awaited)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Decorate a function or coroutine function; each call is one sample.

        Raises `TypeError` for generators: their time is their consumer's.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"track({self._name!r}) cannot time a generator; use it as a context manager inside")

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*arguments: P.args, **named: P.kwargs) -> Any:
                if not self._sampler.enabled:
                    return await function(*arguments, **named)
                async with Track(self._name, self._sampler):
                    return await function(*arguments, **named)

            return cast("Callable[P, R]", awaited)

        @functools.wraps(function)
        def called(*arguments: P.args, **named: P.kwargs) -> R:
            if not self._sampler.enabled:
                return function(*arguments, **named)
            with Track(self._name, self._sampler):
                return function(*arguments, **named)

        return called

    def run(self, function: Callable[[], R]) -> R:
        """Call ``function`` and take the sample when it, or what it returned to be awaited, has ended."""
        with self as entered:
            result = function()
            if inspect.isawaitable(result):
                entered._span = None
        return cast("R", self._awaited(result)) if inspect.isawaitable(result) else result

    async def _awaited(self, awaitable: Awaitable[Any]) -> Any:
        async with Track(self._name, self._sampler):
            return await awaitable
