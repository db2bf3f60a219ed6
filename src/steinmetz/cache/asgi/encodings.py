"""Kept answers as gzip and zstd: made once, for whoever accepts them.

Not when an answer is computed, and not for one that is hit once: the second hit that would have had a coding has
it made. A small body at once, for that takes less time than handing it to a thread (33 µs for 16 kB as zstd, 69 as
gzip, measured); a larger one behind the answer, in a thread, while the requests get what there is.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.policy.codings import IDENTITY, WORTH, Coding, acceptable, encode
from steinmetz.cache.policy.entry import Encoded, Entry
from steinmetz.cache.stores.base import Store
from steinmetz.tasks import Tasks

AT_ONCE_BYTES = 16 * 1024
WANTED = 2
"""The hit that has a coding made."""
MAX_UNDER_WAY = 2
REMEMBERED_FIELDS = 1_024
REMEMBERED_LENGTH = 256


class Encodings:
    """Chooses the content coding of each hit. Used on the event loop's thread only.

    Memory: what is encoded counts in the store's budget; what was negotiated, `REMEMBERED_FIELDS` values of
    Accept-Encoding of at most `REMEMBERED_LENGTH` bytes.
    """

    def __init__(self, coherence: Coherence, store: Store[Entry], tasks: Tasks) -> None:
        self._coherence = coherence
        self._store = store
        self._tasks = tasks
        self._acceptable: dict[bytes, tuple[Coding, ...]] = {}
        self._under_way = 0
        self.made = 0

    def form_for(self, entry: Entry, accept_encoding: bytes | None) -> Entry | Encoded:
        """What a request that says ``Accept-Encoding`` so is given of ``entry``: itself, or one of its codings."""
        if accept_encoding is None:
            return entry
        codings = self._acceptable.get(accept_encoding)
        if codings is None:
            codings = self._negotiated(accept_encoding)
        if not codings:
            return entry  # nothing is accepted, so the choice is ours
        wanted, encoded = codings[0], entry.encoded
        if wanted is IDENTITY:
            return entry
        form = encoded.get(wanted)
        if form is None and wanted not in encoded:
            form = self._made(entry, wanted, at_once=IDENTITY not in codings)
        return form if form is not None else _there(entry, codings)

    def _negotiated(self, accept_encoding: bytes) -> tuple[Coding, ...]:
        codings = acceptable(accept_encoding)
        if len(accept_encoding) <= REMEMBERED_LENGTH:
            if len(self._acceptable) >= REMEMBERED_FIELDS:
                self._acceptable.clear()
            self._acceptable[accept_encoding] = codings
        return codings

    def _made(self, entry: Entry, coding: Coding, *, at_once: bool) -> Encoded | None:
        """``entry`` in ``coding``, if it was worth making it at once."""
        if not entry.is_compressible:
            return None
        entry.wanted += 1
        if entry.wanted < WANTED and not at_once:
            return None
        if at_once or len(entry.body) <= AT_ONCE_BYTES:
            return self._take(entry, coding, encode(coding, entry.body))
        if self._under_way < MAX_UNDER_WAY:
            with suppress(RuntimeError):  # the cache is being closed: nobody will want it any more
                self._tasks.spawn(f"encode {entry.route}", self._encode(entry, coding))
                entry.encoded[coding] = None
                self._under_way += 1
        return None

    async def _encode(self, entry: Entry, coding: Coding) -> None:
        try:
            self._take(entry, coding, await asyncio.to_thread(encode, coding, entry.body))
        finally:
            self._under_way -= 1

    def _take(self, entry: Entry, coding: Coding, body: bytes) -> Encoded | None:
        if len(body) > WORTH * len(entry.body):
            entry.encoded[coding] = None
            return None
        form = Encoded(entry, coding, body)
        entry.add(form)
        self.made += 1
        self._coherence.reweigh(self._store, entry)
        return form


def _there(entry: Entry, codings: tuple[Coding, ...]) -> Entry | Encoded:
    """The first of ``codings`` that there is, while a better one is not."""
    for coding in codings:
        if coding is IDENTITY:
            break
        form = entry.encoded.get(coding)
        if form is not None:
            return form
    return entry
