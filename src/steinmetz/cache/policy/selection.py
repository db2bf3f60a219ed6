"""Which request header fields select among the answers of one URL (RFC 9111, 4.1)."""

from __future__ import annotations

from hashlib import blake2b

from steinmetz.cache.policy.headers import Headers, normalised
from steinmetz.sql.effects import ReadSet

MAX_SELECTIONS = 8
MAX_VARIANTS = 64
VARIANTS_BYTES = 600
MEMBER_BYTES = 200

Selection = tuple[bytes, ...]
"""The sorted names of one Vary field."""


def selected_key(url: bytes, names: Selection, headers: Headers) -> bytes:
    """The key of the answer at ``url`` that a request with ``headers`` selects by ``names``."""
    if not names:
        return url
    digest = blake2b(digest_size=16)
    for name, value in normalised(headers, names):
        # Lengths in front, so that no value can look like a name and a value.
        digest.update(b"%d:%b%d:%b" % (len(name), name, -1 if value is None else len(value), value or b""))
    return b"%b#%b" % (url, digest.hexdigest().encode())


class Variants:
    """What is known of the answers that lie beside each other at one URL; a hint that may outlive them.

    ``selections``: the Vary fields met, newest first. ``keys``: of the answers, newest first. Both are bounded;
    what falls out is asked of the origin again.
    """

    __slots__ = ("alive", "key", "keys", "read_set", "selections", "weight")

    def __init__(
        self, key: bytes, selections: tuple[Selection, ...], keys: tuple[bytes, ...], read_set: ReadSet
    ) -> None:
        self.key = key
        self.selections = selections[:MAX_SELECTIONS]
        self.keys = keys[:MAX_VARIANTS]
        self.read_set = read_set
        self.alive = True
        self.weight = VARIANTS_BYTES + MEMBER_BYTES * (len(self.selections) + len(self.keys))

    def with_variant(self, names: Selection, key: bytes) -> Variants:
        """These, and first of all the one that ``names`` selected to lie under ``key``."""
        if self.keys[:1] == (key,) and self.selections[:1] == (names,):
            return self
        return Variants(
            self.key,
            (names, *(other for other in self.selections if other != names)),
            (key, *(other for other in self.keys if other != key)),
            self.read_set,
        )
