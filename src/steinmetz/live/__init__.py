"""Joins realtime, cache and monitor for any ASGI + SQLAlchemy application."""

from steinmetz.live.bindings import Binding, Emission
from steinmetz.live.doorbell import Place, Ringer, name_of_database
from steinmetz.live.install import Live, install
from steinmetz.live.strangers import PostgresStrangers, SqliteStrangers, Strangers

__all__ = [
    # .bindings
    "Binding",
    "Emission",
    # .install
    "Live",
    # .doorbell
    "Place",
    # .strangers
    "PostgresStrangers",
    # .doorbell
    "Ringer",
    # .strangers
    "SqliteStrangers",
    "Strangers",
    # .install
    "install",
    # .doorbell
    "name_of_database",
]
