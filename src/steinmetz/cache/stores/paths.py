"""Which keys are kept below which path: a tree of segments, so that a pattern is answered without a scan."""

from __future__ import annotations

from collections.abc import Iterator

from steinmetz.cache.policy.patterns import ONE, PathPattern, segments_of
from steinmetz.cache.policy.tags import MAX_SEGMENTS


class _Place:
    """One segment of a path: what lies below it, and the keys whose path ends here."""

    __slots__ = ("below", "keys")

    def __init__(self) -> None:
        self.below: dict[str, _Place] | None = None
        self.keys: set[bytes] | None = None

    @property
    def is_empty(self) -> bool:
        return not self.below and not self.keys


class PathIndex:
    """Keys by path. A path deeper than `MAX_SEGMENTS` lies at that depth: what is found is to be asked again.

    Memory: a place for each segment that any path has at its depth. Not thread-safe.
    """

    __slots__ = ("_root",)

    def __init__(self) -> None:
        self._root = _Place()

    def add(self, key: bytes, path: str) -> None:
        place = self._root
        for segment in segments_of(path)[:MAX_SEGMENTS]:
            if place.below is None:
                place.below = {}
            found = place.below.get(segment)
            if found is None:
                found = place.below[segment] = _Place()
            place = found
        if place.keys is None:
            place.keys = set()
        place.keys.add(key)

    def discard(self, key: bytes, path: str) -> None:
        """Forget ``key``, and every place that nothing is kept at or below any more."""
        place, way = self._root, []
        for segment in segments_of(path)[:MAX_SEGMENTS]:
            found = place.below.get(segment) if place.below is not None else None
            if found is None:
                return
            way.append((place, segment))
            place = found
        if place.keys is not None:
            place.keys.discard(key)
            if not place.keys:
                place.keys = None
        for above, segment in reversed(way):
            assert above.below is not None
            if not above.below[segment].is_empty:
                break
            del above.below[segment]
            if not above.below:
                above.below = None

    def matching(self, pattern: PathPattern) -> Iterator[bytes]:
        """The keys whose path may match; costs what it finds and the places that a ``*`` goes through."""
        places = [self._root]
        for segment in pattern.segments[:MAX_SEGMENTS]:
            if segment == ONE:
                places = [found for place in places for found in (place.below or {}).values()]
            else:
                places = [place.below[segment] for place in places if place.below and segment in place.below]
        while places:
            place = places.pop()
            yield from place.keys or ()
            if pattern.has_rest:
                places.extend((place.below or {}).values())

    def clear(self) -> None:
        self._root = _Place()

    def __len__(self) -> int:
        """How many places there are beside the root."""
        count, places = 0, [self._root]
        while places:
            below = list((places.pop().below or {}).values())
            count += len(below)
            places += below
        return count
