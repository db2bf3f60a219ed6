"""The kept answers as the doors see them: found if they may be given, kept if nothing has moved."""

from __future__ import annotations

from steinmetz.cache.invalidation.coherence import Coherence, Suspended
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.freshness import may_stand_in
from steinmetz.cache.policy.headers import Headers, selected
from steinmetz.cache.policy.lookup import Demands, Hit, Miss, MissReason, Stale, look_up
from steinmetz.cache.policy.storable import Refusal
from steinmetz.cache.statistics import Statistics
from steinmetz.cache.stores.base import Store
from steinmetz.clock import Clock


class Switch:
    """The kill switch, shared by all that must heed it."""

    __slots__ = ("on",)

    def __init__(self, on: bool) -> None:
        self.on = on


class KeptAnswers:
    """A store of answers together with the epochs that rule it."""

    def __init__(
        self, coherence: Coherence, store: Store[Entry], clock: Clock, switch: Switch, statistics: Statistics
    ) -> None:
        self.coherence = coherence
        self.store = store
        self._clock = clock
        self._switch = switch
        self._statistics = statistics

    def look_up(self, key: bytes, asked: Demands, headers: Headers) -> Hit | Stale | Miss:
        """What there is under ``key`` for a request with these demands and header lines."""
        entry = self.coherence.find(self.store, key)
        if isinstance(entry, Suspended):
            return Miss(MissReason.NO_CACHE) if asked.no_cache else Miss(MissReason.SUSPENDED, entry.read_set)
        wall_s = None
        if entry is not None and entry.valid_until_s is not None:
            wall_s = self._clock.now().timestamp()
        return look_up(entry, asked, headers, self._clock.monotonic_s(), wall_s)

    def on_error(self, key: bytes, headers: Headers) -> Entry | None:
        """The expired answer that may be given because computing anew has failed; never an invalidated one."""
        entry = self.coherence.find(self.store, key)
        if entry is None or isinstance(entry, Suspended):
            return None
        if entry.vary and selected(headers, [name for name, _ in entry.vary]) != entry.vary:
            return None
        wall_s = self._clock.now().timestamp()
        return entry if may_stand_in(entry, self._clock.monotonic_s(), wall_s) else None

    def keep(self, entry: Entry) -> Refusal | None:
        """Keep ``entry`` unless something it read has moved since it began; returns why not."""
        if not self._switch.on:
            return Refusal.DISABLED
        if self.coherence.keep(self.store, entry, entry.sequence):
            self._statistics.kept(entry)
            return None
        return Refusal.TOO_LARGE if entry.weight > self.store.budget_bytes else Refusal.MOVED

    def discard(self, entry: Entry) -> bool:
        """Forget just this one, if it is still the one under its key."""
        return self.coherence.discard(self.store, entry)
