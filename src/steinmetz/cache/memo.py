"""Data kept between requests that knows what it was read from (trap T2).

An ``lru_cache`` or a tree in memory hides its reads from whoever uses it: an answer made with it would never be
dropped. What `Memo` keeps obeys the same epochs as an answer, and whoever is given it has read the same.

    found -> its reads are replayed into the caller's scope -> value
    else  -> wait for who computes it already | compute in a scope of its own, keep unless anything moved
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from math import isfinite
from typing import Any, TypeVar

from steinmetz.cache.invalidation.coherence import Coherence, Suspended
from steinmetz.cache.invalidation.reads import Recording, current_recording, recorded, valid_until
from steinmetz.cache.policy.call import call_key
from steinmetz.cache.stores.base import Store
from steinmetz.clock import Clock
from steinmetz.sql.effects import ReadSet
from steinmetz.sql.scope import Part, Scope, ScopeKind, current_scope

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_TTL_S = 300.0

_numbers = itertools.count(1)


class Memoized:
    """A value, and what it was computed from. ``expires_s`` is on the monotonic clock."""

    __slots__ = ("alive", "expires_s", "key", "read_set", "valid_until", "value")

    weight = 1
    """A memo is bounded by the number of its values."""

    def __init__(
        self, key: bytes, value: Any, read_set: ReadSet, expires_s: float, valid_until: datetime | None
    ) -> None:
        self.key = key
        self.value = value
        self.read_set = read_set
        self.expires_s = expires_s
        self.valid_until = valid_until
        self.alive = True


class _UnderWay:
    """A coroutine computes a value on this loop."""

    __slots__ = ("landed", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.landed = asyncio.Event()


class Memo:
    """The memo of one cache; its `decorator` is `ResponseCache.memo`."""

    def __init__(
        self,
        coherence: Coherence,
        store: Store[Memoized],
        clock: Clock,
        *,
        wait_s: float,
        may_give: Callable[[], bool] = lambda: True,
    ) -> None:
        """``may_give``: whether what is kept may be given at all now."""
        self._coherence = coherence
        self._store = store
        self._clock = clock
        self._wait_s = wait_s
        self._may_give = may_give
        self._under_way: dict[bytes, _UnderWay] = {}
        self._under_way_in_threads: dict[bytes, threading.Event] = {}
        self.hits = 0
        self.computed = 0

    def __len__(self) -> int:
        return len(self._store)

    def decorator(
        self, ttl: float | timedelta = DEFAULT_TTL_S, key: Callable[..., Any] | None = None
    ) -> Callable[[F], F]:
        """See `ResponseCache.memo`."""
        ttl_s = ttl.total_seconds() if isinstance(ttl, timedelta) else float(ttl)
        if not (isfinite(ttl_s) and ttl_s > 0):
            raise ValueError(f"memo(ttl=...) must be positive, in seconds; got {ttl!r}")

        def decorate(function: F) -> F:
            if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
                raise ValueError(f"memo() keeps values; {function.__qualname__} is a generator, used up at once")
            # Two functions may have one name, such as those made in a loop.
            name = f"{function.__module__}.{function.__qualname__}~{next(_numbers)}"

            def key_of(arguments: tuple[Any, ...], named: dict[str, Any]) -> bytes:
                if key is None:
                    return call_key(name, arguments, named)
                return call_key(name, (key(*arguments, **named),), {})

            if inspect.iscoroutinefunction(function):

                @functools.wraps(function)
                async def remembered(*arguments: Any, **named: Any) -> Any:
                    work = functools.partial(function, *arguments, **named)
                    return await self._async_value(key_of(arguments, named), name, ttl_s, work)

            else:

                @functools.wraps(function)
                def remembered(*arguments: Any, **named: Any) -> Any:
                    work = functools.partial(function, *arguments, **named)
                    return self._value(key_of(arguments, named), name, ttl_s, work)

            return remembered  # type: ignore[return-value]

        return decorate

    # -- finding

    def _found(self, key: bytes) -> Memoized | None:
        """What is kept and may be given now; its reads are the caller's from here on."""
        found = self._coherence.find(self._store, key)
        if found is None or isinstance(found, Suspended) or found.expires_s <= self._clock.monotonic_s():
            return None
        if found.valid_until is not None:
            if found.valid_until <= self._clock.now():
                return None
            valid_until(found.valid_until)
        if (scope := current_scope()) is not None:
            scope.replay(found.read_set)
        self.hits += 1
        return found

    async def _async_value(self, key: bytes, name: str, ttl_s: float, work: Callable[[], Any]) -> Any:
        if _has_written() or not self._may_give():
            return await work()
        if (found := self._found(key)) is not None:
            return found.value
        mine = _UnderWay(asyncio.get_running_loop())
        # Twice: if the first was overtaken by a write or failed, one of those who waited computes for the rest.
        for _ in range(2):
            other = self._under_way.setdefault(key, mine)
            if other is mine or other.loop is not mine.loop:
                break
            await other.landed.wait()
            if (found := self._found(key)) is not None:
                return found.value
        return await self._compute_async(key, name, ttl_s, work, mine)

    async def _compute_async(
        self, key: bytes, name: str, ttl_s: float, work: Callable[[], Any], mine: _UnderWay
    ) -> Any:
        computing = _Computing(name, self._coherence)
        try:
            with computing as recording:
                value = await work()
            self._keep(key, value, ttl_s, recording)
        finally:
            computing.tell()
            if self._under_way.get(key) is mine:
                del self._under_way[key]
            mine.landed.set()
        return value

    def _value(self, key: bytes, name: str, ttl_s: float, work: Callable[[], Any]) -> Any:
        if _has_written() or not self._may_give():
            return work()
        if (found := self._found(key)) is not None:
            return found.value
        event = threading.Event()
        other = self._under_way_in_threads.setdefault(key, event)
        if other is not event:
            # Not for ever: who computes may be waiting for this very thread.
            other.wait(self._wait_s)
            if (found := self._found(key)) is not None:
                return found.value
        computing = _Computing(name, self._coherence)
        try:
            with computing as recording:
                value = work()
            self._keep(key, value, ttl_s, recording)
        finally:
            computing.tell()
            if self._under_way_in_threads.get(key) is event:
                del self._under_way_in_threads[key]
            event.set()
        return value

    def _keep(self, key: bytes, value: Any, ttl_s: float, recording: Recording) -> None:
        self.computed += 1
        reads = recording.close()
        if reads.is_certain and not recording.wrote:
            expires_s = self._clock.monotonic_s() + ttl_s
            kept = Memoized(key, value, reads, expires_s, recording.valid_until)
            self._coherence.keep(self._store, kept, recording.sequence)


class _Computing:
    """The scope in which one value is computed: apart, so that its reads are known; as old as the caller's, for it
    may use what the caller has open. `tell` gives the caller what was seen."""

    def __init__(self, name: str, coherence: Coherence) -> None:
        self._outer = current_scope()
        self._outer_recording = current_recording()
        sequence = coherence.begin()
        if self._outer_recording is not None:
            sequence = min(sequence, self._outer_recording.sequence)
        scope = Scope(ScopeKind.COMMAND, f"memo {name}") if self._outer is None else Part(self._outer)
        self._open: AbstractContextManager[Recording] = recorded(scope, sequence)
        self._recording: Recording | None = None

    def __enter__(self) -> Recording:
        recording = self._recording = self._open.__enter__()
        if self._outer_recording is not None:
            recording.response_started = self._outer_recording.response_started
        return recording

    def __exit__(self, *error: Any) -> bool | None:
        return self._open.__exit__(*error)

    def tell(self) -> None:
        if self._recording is None:
            return
        inner: Scope = self._recording.scope
        if self._outer is not None:
            self._outer.replay(self._recording.read_set())
            self._outer.wrote = self._outer.wrote or inner.wrote
        if self._recording.valid_until is not None:
            valid_until(self._recording.valid_until)


def _has_written() -> bool:
    """Whether the caller may have written what no other may see yet, and must see it himself."""
    scope = current_scope()
    return scope is not None and scope.wrote
