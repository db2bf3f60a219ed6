"""Joins realtime, cache and monitor for any ASGI + SQLAlchemy application."""

from steinmetz.live.bindings import Binding, Emission
from steinmetz.live.doorbell import Place, Ringer, name_of_database
from steinmetz.live.install import Live, install

__all__ = [
    # .bindings
    "Binding",
    "Emission",
    # .install
    "Live",
    # .doorbell
    "Place",
    "Ringer",
    # .install
    "install",
    # .doorbell
    "name_of_database",
]
