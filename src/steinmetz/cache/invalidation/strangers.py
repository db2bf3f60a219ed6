"""Who else has written the database: what is concluded from what a database tells of writers that no hook sees.

Decides, does no I/O. SQLite tells a connection *that* others have committed (``PRAGMA data_version``), not who nor
what; PostgreSQL tells which table, if a trigger asks it to (``NOTIFY``).
"""

from __future__ import annotations

import json

from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import Relation

CHANNEL = "steinmetz_writes"
"""On which PostgreSQL's triggers tell of writes."""
DEFAULT_SCHEMA = "public"
"""Relations of a connection's default schema are named without it, as in read sets."""


class Versions:
    """Which changes of ``PRAGMA data_version``, asked on a connection that never writes, nobody explains.

    The version moves with every commit of any other connection, ours included, and moves once however many they
    were. So each commit of ours is framed: the version is asked while we hold SQLite's one pen and nobody else can
    commit (`before`), and again after COMMIT (`after`), when the committing connection's *own* version says
    whether anybody else has committed since. What moves outside such a frame is a stranger's.

    Neighbours, who tell of their commits by themselves, frame them by `neighbour_marked` and `neighbour_ended`.
    A version of None could not be asked, which is a doubt. Not thread-safe. All but `neighbour_ended` return
    whether a stranger has, or may have, written.
    """

    def __init__(self, version: int | None) -> None:
        self._explained = version
        self._neighbours = 0

    def look(self, version: int | None) -> bool:
        """Asked while no commit of ours is under way."""
        if self._neighbours:
            return False  # it may be theirs; what moves after they have ended is seen by the next look
        moved, self._explained = version is None or version != self._explained, version
        return moved

    def before(self, version: int | None) -> bool:
        """Asked by our writer, who holds the pen, before COMMIT."""
        return self.look(version)

    def after(self, version: int | None, *, alone: bool) -> bool:
        """Asked after COMMIT. ``alone``: nobody but our writer had committed even after ``version`` was asked."""
        self._explained = version
        return version is None or not alone

    def neighbour_marked(self, version: int | None) -> bool:
        """A neighbour, who holds the pen, is about to send COMMIT."""
        moved = self.look(version)
        self._neighbours += 1
        return moved

    def neighbour_ended(self, version: int | None) -> None:
        """A neighbour's transaction has ended, and what it wrote is dropped."""
        self._neighbours -= 1
        self._explained = version


def written(payload: str, database: str, *, default_schema: str = DEFAULT_SCHEMA) -> WriteSet:
    """The write set of a notification: ``["schema", "table"]``.

    ``[]`` is anything, for tables whose rows show in others, too; so is what is not understood.
    """
    anything = WriteSet(unknown=frozenset({database}))
    try:
        named = json.loads(payload)
    except ValueError:
        return anything
    match named:
        case [str(schema), str(table)]:
            name = table if schema == default_schema else f"{schema}.{table}"
            return WriteSet(frozenset({Relation(database, name)}))
    return anything
