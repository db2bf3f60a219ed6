"""How a process tells the servers beside it, on the same database, what it commits.

`Bell` is the ear of a live server: a Unix socket in a folder that all processes share. `Ringer` is the mouth of
whoever writes, a command or another server: before each COMMIT it tells every neighbour what will be written and
waits until all have heard, after it that the writes stand. So the epoch protocol of the cache (mark, COMMIT, bump)
holds across processes without Redis.
"""

from steinmetz.live.doorbell.bell import Bell
from steinmetz.live.doorbell.place import Place, name_of_database
from steinmetz.live.doorbell.ringer import Ringer

__all__ = [
    # .bell
    "Bell",
    # .place
    "Place",
    # .ringer
    "Ringer",
    # .place
    "name_of_database",
]
