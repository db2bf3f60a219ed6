"""For tests of applications that use the cache: what became of a request, the cache off, a database played.

`FakeHook` stands in for the hook of an engine where there is none: statements and transactions that name their
tables, obeying the same protocol.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from steinmetz.cache.response_cache import ResponseCache
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import Relation, StatementFacts, Verb
from steinmetz.sql.scope import current_scope, note
from steinmetz.sql.transaction_observer import TransactionObserver

NO_STORE = {"cache-control": "no-store"}
"""Headers of a request that by-passes the cache."""
NO_CACHE = {"cache-control": "no-cache"}
"""Headers of a request that wants a new answer, which is kept."""


class Response(Protocol):
    """Any client's response with a case-insensitive mapping of headers."""

    @property
    def headers(self) -> Mapping[str, str]: ...


def outcome(response: Response) -> str:
    """``HIT``, ``MISS``, ``STALE``, ``BYPASS``, or ``-`` at a route that is not cached."""
    return response.headers.get("x-cache", "-")


def _assert_outcome(response: Response, expected: str) -> None:
    found, why = outcome(response), response.headers.get("cache-status", "no Cache-Status")
    assert found == expected, f"expected X-Cache: {expected}, got {found} ({why})"


def assert_hit(response: Response) -> None:
    _assert_outcome(response, "HIT")


def assert_miss(response: Response) -> None:
    _assert_outcome(response, "MISS")


def assert_bypass(response: Response) -> None:
    _assert_outcome(response, "BYPASS")


@contextmanager
def uncached(cache: ResponseCache) -> Iterator[None]:
    """Within it every route computes: for comparing a cached answer with its uncached twin."""
    before, cache.enabled = cache.enabled, False
    try:
        yield
    finally:
        cache.enabled = before


class FakeTransaction:
    """A transaction whose steps are taken one by one: `write`, `mark`, then `bump` or `unmark`."""

    def __init__(self, hook: FakeHook) -> None:
        self._hook = hook
        self._writes = WriteSet()
        self._token: object | None = None

    def write(self, *tables: str) -> None:
        relations = frozenset(Relation(self._hook.database, table) for table in tables)
        note(_facts(writes=relations))
        self._writes |= WriteSet(relations)

    def mark(self) -> None:
        """COMMIT is about to be sent."""
        self._token = self._hook.observer.mark(self._writes)

    def bump(self) -> None:
        """COMMIT was acknowledged."""
        self._hook.observer.bump(self._token)

    def unmark(self) -> None:
        """The transaction was rolled back."""
        self._hook.observer.unmark(self._token)


class FakeHook:
    """Reports statements and commits to ``observer`` as the hook of an engine called ``database`` would."""

    def __init__(self, observer: TransactionObserver, database: str = "main") -> None:
        self.observer = observer
        self.database = database

    def read(self, *tables: str) -> None:
        """A SELECT of ``tables`` in the current scope."""
        note(_facts(reads=frozenset(Relation(self.database, table) for table in tables)))

    def read_unknown(self) -> None:
        """A statement of which nobody can say what it reads."""
        scope = current_scope()
        facts = StatementFacts("0" * 16, "?", Verb.OTHER, frozenset(), frozenset(), reads_unknown=True)
        note(facts) if scope is None else scope.note(facts)

    def transaction(self) -> FakeTransaction:
        return FakeTransaction(self)

    def commit(self, *tables: str) -> None:
        """A whole transaction that writes ``tables``."""
        transaction = self.transaction()
        transaction.write(*tables)
        transaction.mark()
        transaction.bump()


def _facts(reads: frozenset[Relation] = frozenset(), writes: frozenset[Relation] = frozenset()) -> StatementFacts:
    return StatementFacts("0" * 16, "fake", Verb.UPDATE if writes else Verb.SELECT, reads, writes)
