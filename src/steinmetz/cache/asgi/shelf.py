"""The gateway's kept answers: several at one URL, of which a request selects one."""

from __future__ import annotations

from dataclasses import dataclass

from steinmetz.cache.asgi.kept_answers import Switch
from steinmetz.cache.invalidation.coherence import Coherence, Suspended
from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.freshness import date_s
from steinmetz.cache.policy.groups import url_reads
from steinmetz.cache.policy.headers import Headers
from steinmetz.cache.policy.selection import Variants, selected_key
from steinmetz.cache.policy.storable import Refusal
from steinmetz.cache.policy.validation import MAX_OFFERED
from steinmetz.cache.statistics import Statistics
from steinmetz.cache.stores.base import Store
from steinmetz.sql.effects import ReadSet

PARTIAL = b"#206"
"""Stands behind the URL of an answer that is only a part: never given to whom asks for the whole."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer that a request selects, and the others at its URL, newest first."""

    entry: Entry | None
    others: tuple[Entry, ...] = ()


class Shelf:
    """A store of answers and the record of which of them lie at one URL, ruled by the same epochs."""

    def __init__(
        self,
        coherence: Coherence,
        store: Store[Entry],
        variants: Store[Variants],
        switch: Switch,
        statistics: Statistics,
    ) -> None:
        self.coherence = coherence
        self.store = store
        self._variants = variants
        self._switch = switch
        self._statistics = statistics

    def find(self, url: bytes, headers: Headers) -> Found:
        """ "the cache MUST use the most recent one" of several that fit (RFC 9111, 4)."""
        plain = self._get(url)
        variants = self._variants_at(url)
        if variants is None:
            return Found(plain)
        fitting = [] if plain is None else [plain]
        for names in variants.selections:
            entry = self._get(selected_key(url, names, headers))
            if entry is not None:
                fitting.append(entry)
        entry = max(fitting, key=_recency, default=None)
        if entry is not None:
            return Found(entry)
        others = (self._get(key) for key in variants.keys[:MAX_OFFERED])
        return Found(None, tuple(other for other in others if other is not None))

    def _get(self, key: bytes) -> Entry | None:
        found = self.coherence.find(self.store, key)
        return None if isinstance(found, Suspended) else found

    def _variants_at(self, url: bytes) -> Variants | None:
        found = self.coherence.find(self._variants, url)
        return None if isinstance(found, Suspended) else found

    def keep(self, url: bytes, entry: Entry) -> Refusal | None:
        """Keep ``entry`` unless something that it depends on has moved since it began; returns why not."""
        if not self._switch.on:
            return Refusal.DISABLED
        if not self.coherence.keep(self.store, entry, entry.sequence):
            return Refusal.TOO_LARGE if entry.weight > self.store.budget_bytes else Refusal.MOVED
        self._statistics.kept(entry)
        if entry.terms.vary:
            known = self._variants_at(url) or Variants(url, (), (), ReadSet(url_reads(url)))
            told = known.with_variant(entry.terms.vary, entry.key)
            if told is not known:
                self.coherence.keep(self._variants, told, entry.sequence)
        return None

    def discard(self, entry: Entry) -> bool:
        return self.coherence.discard(self.store, entry)


def _recency(entry: Entry) -> tuple[float, float]:
    return date_s(entry.headers, 0.0), entry.stored_at_s
