"""Writers that no hook sees: psql, a cron job, another program on the same database (trap T11, hazard H17).

`SqliteStrangers` asks SQLite whether others have committed; `PostgresStrangers` listens to what the triggers of
watched tables (`triggers`) tell. Both have the cache drop what it concerns; the bound is told by each.
"""

from steinmetz.live.strangers.joined import Strangers
from steinmetz.live.strangers.postgres import PostgresStrangers
from steinmetz.live.strangers.sqlite import SqliteStrangers

__all__ = [
    # .postgres
    "PostgresStrangers",
    # .sqlite
    "SqliteStrangers",
    # .joined
    "Strangers",
]
