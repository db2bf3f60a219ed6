"""Patterns of paths: ``/api/invoices/*/pdf``.

``*`` stands for one whole segment, ``**`` at the end for the rest, be it nothing. Segments are those of
`steinmetz.cache.policy.tags`: empty ones do not count, queries neither.
"""

from __future__ import annotations

from dataclasses import dataclass

ONE = "*"
REST = "**"


def segments_of(path: str) -> tuple[str, ...]:
    return tuple(segment for segment in path.split("/") if segment)


@dataclass(frozen=True, slots=True)
class PathPattern:
    """``segments`` before the end; ``has_rest`` if the pattern ended in ``**``."""

    segments: tuple[str, ...]
    has_rest: bool = False

    @staticmethod
    def of(pattern: str) -> PathPattern:
        """Raises `ValueError` for what is no pattern of a path, such as ``inv*`` or a ``**`` before the end."""
        if not pattern.startswith("/"):
            raise ValueError(f'a pattern of paths starts with "/", such as "/api/invoices/*/pdf"; got {pattern!r}')
        segments = segments_of(pattern)
        has_rest = bool(segments) and segments[-1] == REST
        if has_rest:
            segments = segments[:-1]
        for segment in segments:
            if segment == REST:
                raise ValueError(f'"**" stands for the rest of a path, at its end only; got {pattern!r}')
            if ONE in segment and segment != ONE:
                raise ValueError(f'"*" stands for one whole segment; got {segment!r} in {pattern!r}')
        return PathPattern(segments, has_rest)

    def __str__(self) -> str:
        return "/" + "/".join((*self.segments, REST) if self.has_rest else self.segments)

    def matches(self, path: str) -> bool:
        segments = segments_of(path)
        if len(segments) < len(self.segments) or (len(segments) > len(self.segments) and not self.has_rest):
            return False
        return all(asked in (ONE, segment) for asked, segment in zip(self.segments, segments, strict=False))

    def above(self) -> str:
        """The longest path without a wildcard at or below which all that matches lies."""
        plain: list[str] = []
        for segment in self.segments:
            if segment == ONE:
                break
            plain.append(segment)
        return "/" + "/".join(plain)
