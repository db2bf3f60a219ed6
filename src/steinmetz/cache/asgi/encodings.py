"""Kept answers as gzip and zstd: made once, for whoever accepts them.

Not when an answer is computed, and not for one that is hit once: the second hit that would have had a coding has
it made. A small body at once, for that takes less time than handing it to a thread (33 µs for 16 kB as zstd, 69 as
gzip, measured); a larger one behind the answer, in a thread, while the requests get what there is.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from steinmetz.cache.invalidation.coherence import Coherence
from steinmetz.cache.policy.codings import WORTH, Coding, acceptable, encode
from steinmetz.cache.policy.entry import Encoded, Entry
from steinmetz.cache.policy.headers import Headers
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

    def coding_for(self, entry: Entry, headers: Headers) -> Coding:
        """In which coding a request with these header lines is given ``entry``; one that is there to be sent."""
        accept: bytes | None = None
        for name, value in headers:
            if name == b"accept-encoding":
                accept = value if accept is None else b"%b, %b" % (accept, value)
        if accept is None:
            return Coding.IDENTITY
        return self.coding(entry, accept)

    def coding(self, entry: Entry, accept_encoding: bytes) -> Coding:
        """As `coding_for`, by the value of the field."""
        codings = self._acceptable.get(accept_encoding)
        if codings is None:
            codings = self._negotiated(accept_encoding)
        encoded = entry.encoded
        for coding in codings:
            if coding is Coding.IDENTITY or encoded.get(coding) is not None:
                return coding
            if coding not in encoded:
                if self._is_made(entry, coding, at_once=Coding.IDENTITY not in codings):
                    return coding
                break
        # What there is meanwhile; of nothing that is accepted, identity.
        return next((coding for coding in codings if encoded.get(coding) is not None), Coding.IDENTITY)

    def _negotiated(self, accept_encoding: bytes) -> tuple[Coding, ...]:
        codings = acceptable(accept_encoding)
        if len(accept_encoding) <= REMEMBERED_LENGTH:
            if len(self._acceptable) >= REMEMBERED_FIELDS:
                self._acceptable.clear()
            self._acceptable[accept_encoding] = codings
        return codings

    def _is_made(self, entry: Entry, coding: Coding, *, at_once: bool) -> bool:
        """Whether ``entry`` has ``coding`` now, because it was worth making it at once."""
        if not entry.is_compressible:
            return False
        entry.wanted += 1
        if entry.wanted < WANTED and not at_once:
            return False
        if at_once or len(entry.body) <= AT_ONCE_BYTES:
            return self._take(entry, coding, encode(coding, entry.body))
        if self._under_way < MAX_UNDER_WAY:
            with suppress(RuntimeError):  # the cache is being closed: nobody will want it any more
                self._tasks.spawn(f"encode {entry.route}", self._encode(entry, coding))
                entry.encoded[coding] = None
                self._under_way += 1
        return False

    async def _encode(self, entry: Entry, coding: Coding) -> None:
        try:
            self._take(entry, coding, await asyncio.to_thread(encode, coding, entry.body))
        finally:
            self._under_way -= 1

    def _take(self, entry: Entry, coding: Coding, body: bytes) -> bool:
        if len(body) > WORTH * len(entry.body):
            entry.encoded[coding] = None
            return False
        entry.add(Encoded(entry, coding, body))
        self.made += 1
        self._coherence.reweigh(self._store, entry)
        return True
