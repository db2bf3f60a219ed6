"""A path and a hand-made tag are read like a table, so that one rule drops all three.

An answer at ``/api/functions/nodes/7`` reads the paths ``/``, ``/api``, ``/api/functions`` and so on; writing the
path ``/api/functions`` therefore concerns it by whole segments, with all its queries, and never concerns
``/api/functions-old``. The database names are in brackets, which no engine's hook may use.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation

PATHS = "(path)"
TAGS = "(tag)"
MAX_SEGMENTS = 32
REMEMBERED_PATHS = 1_024
REMEMBERED_PATH_LENGTH = 200
"""Longer ones are made anew: what is remembered here has no place in any store's budget."""


def trimmed(path: str) -> str:
    """``path`` with one leading and no trailing slash."""
    return "/" + path.strip("/")


def path_reads(path: str) -> frozenset[Relation]:
    """The path and everything above it. Paths deeper than `MAX_SEGMENTS` are named down to that depth only."""
    segments = [segment for segment in path.split("/") if segment][:MAX_SEGMENTS]
    paths = ["/", *("/" + "/".join(segments[:depth]) for depth in range(1, len(segments) + 1))]
    *above, itself = paths
    shared = (_shared(each) if len(each) <= REMEMBERED_PATH_LENGTH else Relation(PATHS, each) for each in above)
    return frozenset([*shared, Relation(PATHS, itself)])


@lru_cache(REMEMBERED_PATHS)
def _shared(path: str) -> Relation:
    """A path that others lie below is read by all of them."""
    return Relation(PATHS, path)


def tag_reads(tags: Iterable[str]) -> frozenset[Relation]:
    return frozenset(Relation(TAGS, tag) for tag in tags)


def written_paths(paths: Iterable[str]) -> WriteSet:
    """The write that concerns each of ``paths``, all its queries and everything below it."""
    return WriteSet(
        frozenset(
            Relation(PATHS, "/" + "/".join([segment for segment in path.split("/") if segment][:MAX_SEGMENTS]))
            for path in paths
        )
    )


def written_tags(tags: Iterable[str]) -> WriteSet:
    return WriteSet(tag_reads(tags))


def with_tags(reads: ReadSet, tags: frozenset[Relation]) -> ReadSet:
    return ReadSet(reads.relations | tags, reads.unknown, reads.rows)


def names(relations: Iterable[Relation]) -> list[str]:
    """What people are shown: ``invoices`` of ``main`` as ``main:invoices``, a path or tag by itself."""
    return sorted(relation.name if relation.database == PATHS else str(relation) for relation in relations)
