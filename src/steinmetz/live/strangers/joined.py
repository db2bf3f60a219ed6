"""What `install` needs of whoever notices strangers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from steinmetz.sql.engine import SqlHook
from steinmetz.sql.transaction_observer import TransactionObserver

if TYPE_CHECKING:
    from steinmetz.cache import ResponseCache


class Strangers(Protocol):
    """Notices what others write, from `start` to `stop`, both on the event loop."""

    def join(self, cache: ResponseCache, hook: SqlHook) -> None:
        """What to tell; called once, before `start`. Observes the hook's transactions if it needs to."""

    def beside(self, observer: TransactionObserver) -> TransactionObserver:
        """``observer``, for what neighbours tell of their commits: they are no strangers."""

    async def start(self) -> None:
        """Begin to notice. What keeps it from that is logged, not raised."""

    async def stop(self) -> None:
        """End what `start` began."""
