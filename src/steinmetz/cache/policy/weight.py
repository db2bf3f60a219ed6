"""What keeping something costs in bytes: its own, and those of Python's objects around it.

The figures were measured by filling stores with each kind of thing (``dev.py bench flooding`` does so again):
resident memory, the store's queues and indexes and what the allocator wastes included.
"""

from __future__ import annotations

from collections.abc import Iterable

from steinmetz.cache.policy.patterns import segments_of
from steinmetz.cache.policy.tags import MAX_SEGMENTS, PATHS
from steinmetz.sql.effects import ReadSet

ENTRY_BYTES = 2_250
"""An entry without header lines, body and reads: its slots, its places in queues and dictionaries, its ghost."""
HEADER_BYTES = 130
READ_BYTES = 110
"""A relation that many have read: a place in the read set and one among its readers."""
ROWS_BYTES = 560
"""One way of looking at rows of a relation."""
VALUE_BYTES = 250
"""One value by which rows are looked at: a tag of its own, and its reader."""
PATH_BYTES = 40
"""A path that others lie below, too: a place in the read set."""
SEGMENT_BYTES = 550
"""A segment of a path that others do not share: a relation, and a place in the tree of paths."""
ENCODED_BYTES = 1_400


def weight_of_reads(reads: ReadSet) -> int:
    """Of a read set and of being found by it; the paths in it count as read by many."""
    paths = sum(relation.database == PATHS for relation in reads.relations)
    weight = PATH_BYTES * paths + READ_BYTES * (len(reads.relations) - paths + 1)
    for looks in reads.rows.values():
        for rows in looks:
            values = min((bound for bound in rows.bound.values()), key=len, default=())
            weight += ROWS_BYTES + sum(
                VALUE_BYTES + (len(value) if isinstance(value, str) else 0) for value in values
            )
    return weight


def weight_of_path(path: str, template: str) -> int:
    """Of lying at ``path``, which a route of this ``template`` answers: what parameters begin is its own alone."""
    segments, own = segments_of(path)[:MAX_SEGMENTS], 0
    named = segments_of(template)
    while own < min(len(segments), len(named)) and segments[own] == named[own]:
        own += 1
    return len(path) + (len(segments) - own) * (SEGMENT_BYTES + len(path))


def weight_of_headers(headers: Iterable[tuple[bytes, bytes]]) -> int:
    return sum(HEADER_BYTES + len(name) + len(value) for name, value in headers)
