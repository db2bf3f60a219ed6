"""The processes of one installation: where they tell each other of commits, and how announcements travel.

With a Redis the servers are one cluster: what one publishes reaches the clients of all. Without one, the servers
of one host tell each other at the doorbell, where commands always tell the servers of their host.

A server listens (`steinmetz.live.install` with its place); a command only rings. What a unit publishes is said by
every live server, whoever committed it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, contextmanager
from hashlib import blake2b
from socket import gethostname
from typing import TYPE_CHECKING, Any

import structlog

from steinmetz.cache.invalidation.cluster import Cluster
from steinmetz.clock import Clock
from steinmetz.erp.db import DATABASE_NAME, Database, Publisher
from steinmetz.erp.kit.announcements import Announcement, Publication, as_json, from_json
from steinmetz.erp.migrations.transaction import AroundCommit
from steinmetz.live import Place, Ringer, name_of_database
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.engine import hook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steinmetz.erp.settings import Settings
    from steinmetz.realtime import Server
    from steinmetz.realtime.adapters.cluster import Cluster as RealtimeCluster

log = structlog.get_logger("steinmetz.erp")

FOLDER = "doorbells"
"""In the data folder: one socket for each live server."""
PUBLICATION = "erp:publication"
"""Between servers: an expulsion or a departure."""
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

    return redis_cluster(
        settings.redis_url.get_secret_value(),
        realm=_realm(database),
        consistency=settings.cache_consistency,
        clock=clock,
    )


def _realm(database: str) -> str:
    """What names the same database everywhere: a file, and "localhost", is another one on each machine."""
    is_here = database.startswith("sqlite:") or ":here:" in database
    return f"{database} {gethostname()}" if is_here else database


def realtime_cluster_of(settings: Settings, clock: Clock) -> RealtimeCluster | None:
    """What makes the sockets of several servers those of one; None without a Redis
    or a database that others can have.

    The servers are those of one database: their key is derived from the secret that signs tokens, and from the
    name of the database, so that two installations that share a Redis do not hear each other.
    """
    database = name_of_database(settings.url)
    if settings.redis_url is None or database is None:
        return None
    from steinmetz.realtime.adapters.redis import redis_cluster as realtime_over_redis

    realm = blake2b(_realm(database).encode(), digest_size=8).hexdigest()
    return realtime_over_redis(
        settings.redis_url.get_secret_value(),
        secret=settings.token_secrets()[0],
        prefix=f"steinmetz:{realm}",
        clock=clock,
    )


def throughout(io: Server, publish: Publisher) -> Publisher:
    """Publish here and at all other servers of ``io``'s cluster.

    What is announced, ``io`` itself carries to the clients of the others. That somebody is sent away or leaves a
    room each server must do itself: it may just be letting him in.
    """

    io.on_server_side_emit(PUBLICATION, heard(publish))

    def publish_throughout(publication: Publication) -> None:
        publish(publication)
        if not isinstance(publication, Announcement):
            io.server_side_emit(PUBLICATION, as_json(publication))

    return publish_throughout


def on_this_host(io: Server, publish: Publisher) -> Publisher:
    """Announce here alone what every server on this host hears, a command's words for instance.

    That somebody is sent away must be known everywhere, and it does no harm to be told it several times.
    """

    def publish_here(publication: Publication) -> None:
        if isinstance(publication, Announcement):
            event, payload, rooms = publication.event, publication.payload, publication.rooms
            (io.to(*rooms) if rooms else io).local.emit(event, payload)
        else:
            publish(publication)

    return publish_here


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
