"""What the observers of transactions are told: a mark before each COMMIT, a bump after it, and what is in doubt.

A mark whose COMMIT was sent and not acknowledged stays up until the connection's next completed operation or its
end, and comes down as a bump: the COMMIT may have happened (trap T7).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.sql.effects import WriteSet
from steinmetz.sql.transaction import ConnectionState
from steinmetz.sql.transaction_observer import HearsOfLosses, TransactionObserver

if TYPE_CHECKING:
    from sqlalchemy.pool import PoolProxiedConnection

    from steinmetz.sql.transaction import Tokens

log = structlog.get_logger("steinmetz.sql")


class Marks:
    """The marks of one engine's transactions. Thread-safe."""

    def __init__(self) -> None:
        self.observers: tuple[TransactionObserver, ...] = ()
        self._lock = threading.Lock()
        self._doubtful: dict[int, tuple[Any, ConnectionState]] = {}

    def mark(self, writes: WriteSet) -> Tokens:
        if not writes:
            return []
        tokens: Tokens = []
        try:
            for observer in self.observers:
                tokens.append((observer, observer.mark(writes)))
        except BaseException:
            for observer, token in tokens:  # nothing has been sent to the database yet
                observer.unmark(token)
            raise
        return tokens

    def bump(self, tokens: Tokens, *, lost: bool = False) -> None:
        for observer, token in tokens:
            try:
                if lost and isinstance(observer, HearsOfLosses):
                    observer.lost(token)
                else:
                    observer.bump(token)
            except Exception as error:
                # The commit stands, and the other observers must hear of it.
                log.error(
                    "A transaction observer failed after the commit", observer=repr(observer), error=told(error)
                )

    def doubt(self, connection: PoolProxiedConnection, state: ConnectionState, tokens: Tokens) -> None:
        """The marks stay up until the connection's next completed operation or its end (trap T7)."""
        dbapi_connection = connection.dbapi_connection
        if dbapi_connection is None:
            self.bump(tokens)
            return
        state.doubts = [*state.doubts, *tokens]
        state.token = None
        with self._lock:
            self._doubtful[id(dbapi_connection)] = (dbapi_connection, state)

    def resolve(self, connection: PoolProxiedConnection, state: ConnectionState) -> None:
        """An operation of the connection has been completed, so the fate of its commits is no doubt any more."""
        with self._lock:
            self._doubtful.pop(id(connection.dbapi_connection), None)
            doubts, state.doubts = state.doubts, []
        self.bump(doubts)

    def terminated(self, dbapi_connection: Any, *, lost: bool = False) -> None:
        """The connection has ended; with ``lost`` it is not known that its COMMIT had."""
        if not self._doubtful:
            return
        with self._lock:
            _, state = self._doubtful.pop(id(dbapi_connection), (None, None))
        if state is not None:
            doubts, state.doubts = state.doubts, []
            self.bump(doubts, lost=lost)


def told(error: BaseException) -> str:
    """An error as it may be logged: its kind and its place, without the values that a traceback shows."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None:
        return type(error).__name__
    return f"{type(error).__name__} in {place.tb_frame.f_code.co_filename}:{place.tb_lineno}"
