"""Who is told of what a transaction wrote, and in how much detail."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, runtime_checkable

from steinmetz.sql.effects import WriteSet


class Grain(StrEnum):
    """How much is told of what was written: each has what those before it have, too."""

    TABLE = "table"
    """The tables."""
    ROWS = "rows"
    """The rows, as far as the statements bind them."""
    IMAGES = "images"
    """The rows as they were and will be, as far as the ORM's history knows them."""


class TransactionObserver(Protocol):
    """Who must know what was written, and when it became visible.

    Called on the greenlet or the worker thread that commits, so implementations are thread-safe and quick. With
    several observers, all are called in the order of their registration.
    """

    def mark(self, writes: WriteSet) -> object:
        """COMMIT is about to be sent; what was read of ``writes`` is in doubt. Returns a token.

        An exception stops the COMMIT.
        """

    def bump(self, token: object) -> None:
        """COMMIT was acknowledged, or its fate stays unknown: what was read of the writes is out of date."""

    def unmark(self, token: object) -> None:
        """The transaction has certainly been rolled back: what was read of the writes stands."""


@runtime_checkable
class HearsOfLosses(Protocol):
    """A `TransactionObserver` that takes a commit whose connection has died for more than done."""

    def lost(self, token: object) -> None:
        """In place of ``bump``: the connection ended before COMMIT was answered, and nobody will ever be told of
        it. The server may still be at it: what is read now may be changed by it later."""
