"""The processes of one installation: where they tell each other of commits, and how announcements travel.

A server listens (`steinmetz.live.install` with its place); a command only rings. What a unit publishes is said by
every live server, whoever committed it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager
from socket import gethostname
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.cache.invalidation.cluster import Cluster
from steinmetz.clock import Clock
from steinmetz.erp.db import DATABASE_NAME, Database, Publisher
from steinmetz.erp.kit.announcements import Publication, as_json, from_json
from steinmetz.erp.migrations.transaction import AroundCommit
from steinmetz.live import Place, Ringer, name_of_database
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.engine import hook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steinmetz.erp.settings import Settings

log = structlog.get_logger("steinmetz.erp")

FOLDER = "doorbells"
"""In the data folder: one socket for each live server."""
ANYTHING = WriteSet(unknown=frozenset({DATABASE_NAME}))
"""The write set of work that no hook has seen: COPY, DDL, a restored file."""


def place_of(settings: Settings) -> Place | None:
    """Where this installation's processes meet; None for a database that only one process can have."""
    database = name_of_database(settings.url)
    return None if database is None else Place(settings.data_dir.absolute() / FOLDER, database)


def cluster_of(settings: Settings, clock: Clock) -> Cluster | None:
    """What keeps the caches of several servers right; None without a Redis or a database that others can have.

    All servers hear of each other's writes, by whatever name they call the database; answers are shared among
    those that certainly mean the same one.
    """
    database = name_of_database(settings.url)
    if settings.redis_url is None or database is None:
        return None
    from steinmetz.cache.stores.redis import redis_cluster

    # A file, and "localhost", is another database on each machine.
    is_here = database.startswith("sqlite:") or ":here:" in database
    return redis_cluster(
        settings.redis_url.get_secret_value(),
        realm=f"{database} {gethostname()}" if is_here else database,
        consistency=settings.cache_consistency,
        clock=clock,
    )


def everywhere(publish: Publisher, relay: Callable[[Any], None]) -> Publisher:
    """Publish here and at every neighbour."""

    def publish_everywhere(publication: Publication) -> None:
        publish(publication)
        relay(as_json(publication))

    return publish_everywhere


def heard(publish: Publisher) -> Callable[[Any], None]:
    """Publish here what a neighbour passes on."""

    def hear(told: Any) -> None:
        try:
            publication = from_json(told)
        except ValueError as error:
            log.warning("A neighbour's announcement is not understood", error=str(error))
            return
        publish(publication)

    return hear


@contextmanager
def ringing(settings: Settings, who: str, warn: Callable[[str], None]) -> Iterator[Ringer | None]:
    """For a process that writes without serving; ``warn`` is told which server could not be told in time."""
    place = place_of(settings)
    if place is None:
        yield None
        return
    ringer = Ringer(place, who=who, warn=warn)
    try:
        yield ringer
    finally:
        ringer.close()


def around_commit(ringer: Ringer | None) -> AroundCommit | None:
    """For `in_transaction`: what it commits may be anything."""
    return None if ringer is None else lambda: ringer.around_commit(ANYTHING)


@asynccontextmanager
async def joined(database: Database, ringer: Ringer | None) -> AsyncIterator[Database]:
    """``database``, whose units tell every live server what they commit and publish; closed at the end."""
    try:
        if ringer is not None:
            sql = hook(database.engine, database=DATABASE_NAME)
            await sql.prime()
            sql.observe_transactions(ringer)
            database.publisher = lambda publication: ringer.say(as_json(publication))
        yield database
    finally:
        await database.close()
