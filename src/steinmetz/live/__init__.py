"""Joins realtime, cache and monitor for any ASGI + SQLAlchemy application."""

from steinmetz.live.bindings import Binding, Emission
from steinmetz.live.install import Live, install

__all__ = [
    # .bindings
    "Binding",
    "Emission",
    # .install
    "Live",
    "install",
]
