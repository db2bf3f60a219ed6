"""The hazards of a cache before a database, and where each is brought about.

``where``: in the run, by which failpoint or operation; else by which test, on purpose. Numbers are those of the
evidence that the cache was designed by, and of the tests' names.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hazard:
    name: str
    where: str
    in_run: bool = True


_HAZARDS = "tests/contract/test_cache_hazards.py"
_DOOR = "tests/unit/cache/asgi/test_middleware.py"
_GUIDE = "docs/explanation/freshness.md: not claimed"
_LISTS = "reads `group`, `joined`; writes that change the group"

HAZARDS = {
    "H1": Hazard("computed before a commit, kept after it", "every read pauses between its SELECT and its answer"),
    "H2": Hazard("a flight is joined that began before the write", "many clients ask for few rows, reads pause"),
    "H3": Hazard("new to one reader, old to the next", "commits pause at `committed`, before the bump"),
    "H4": Hazard("a writer killed between COMMIT and bump", "POST /deadly: SIGKILL at `committed`"),
    "H5": Hazard("rolled back after the invalidation", "writes `undone`, by their own error or the database's"),
    "H6": Hazard("a savepoint rolled back, the outer one committed", "writes `savepoint`"),
    "H7": Hazard("a snapshot older than the request", _HAZARDS, in_run=False),
    "H8": Hazard("reads within a transaction that is not committed", _HAZARDS, in_run=False),
    "H9": Hazard("Core, bulk, executemany", "writes `core`, `bulk`, `orm`"),
    "H10": Hazard("text", "writes `text`, reads `view`"),
    "H11": Hazard("views, triggers, cascades", "reads `view`, `tally`, `child`; writes `cascade`, `user`"),
    "H12": Hazard("AUTOCOMMIT", "writes `autocommit`"),
    "H13": Hazard("which hook is after COMMIT", "commits pause at `marked` and at `committed`"),
    "H14": Hazard("what other processes keep", "cells of three processes"),
    "H15": Hazard("a lost message, Redis restarted", "Redis is flushed, stopped, killed and restarted"),
    "H16": Hazard("own writes hide another's", "each server writes and reads the same few rows"),
    "H17": Hazard("writers outside the application", _GUIDE, in_run=False),
    "H18": Hazard("a replica that lags", _GUIDE, in_run=False),
    "H19": Hazard("answer and tags kept in two steps", "tests/contract/test_cache_store.py", in_run=False),
    "H20": Hazard("Redis evicts what it was to remember", "Redis is flushed"),
    "H21": Hazard("clocks that jump or differ", "tests/unit/cache/policy/test_epochs.py", in_run=False),
    "H22": Hazard("304 from a stale validator", _DOOR, in_run=False),
    "H23": Hazard("answers that depend on more than the database", "reads `mine`, `whoami`: of one user each"),
    "H24": Hazard("a list that a row comes into", _LISTS),
    "H25": Hazard(
        "a row that goes from one list to another", "reads `group`, `joined`; writes that change the group"
    ),
    "H26": Hazard("stale-while-revalidate across an invalidation", _DOOR, in_run=False),
    "H27": Hazard("a leader that is cancelled", "one operation of a hundred is cancelled in the midst of it"),
    "H28": Hazard("a hit before the door", "reads `whoami`; writes `user` change what an admission rests upon"),
}
