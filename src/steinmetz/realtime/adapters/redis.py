"""Redis (7 or newer: sharded publish and subscribe) or an older one as the bus of a cluster.

Two lines, one to speak and one to listen. What is published in one turn of the loop leaves as one pipeline, and
what goes into a log (`recovery.redis`) with it: ``lua/append.lua`` gives it its position and publishes it. Once a
second a node says something to itself: one that misses `DEAF_AFTER` of these words is deaf, whatever its
connection says, and begins anew.
"""

from __future__ import annotations

import asyncio
import math
import random
import re
from collections.abc import Collection, Coroutine, Sequence
from contextlib import suppress
from secrets import token_hex
from typing import Any

import structlog

from steinmetz.clock import Clock
from steinmetz.realtime.adapters.bus import Receiver
from steinmetz.realtime.adapters.cluster import Cluster
from steinmetz.realtime.adapters.framing import PLAIN, append_command, hand_over
from steinmetz.realtime.adapters.node import JOURNAL_BYTES, Node
from steinmetz.realtime.adapters.subscriptions import OUT_OF_REACH, Subscriptions
from steinmetz.realtime.config import ConnectionStateRecovery
from steinmetz.realtime.recovery.record import MAX_KEYS, Keys, Record
from steinmetz.realtime.recovery.redis import APPEND, RedisStore
from steinmetz.tasks import Tasks

try:
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import NoScriptError, RedisError, ResponseError
except ImportError as error:
    raise ImportError("realtime over Redis needs its driver: pip install 'steinmetz[redis]'") from error

log = structlog.get_logger("steinmetz.realtime")

ECHO_S = 1.0
DEAF_AFTER = 3
"""Words to oneself. Not seconds: a loop that stood still for some has not listened meanwhile, either."""
CONNECT_S = 2.0
SUBSCRIBE_S = 5.0
FAREWELL_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 0.5
MAX_OUTBOX = 16 * 1024 * 1024
"""Bytes that wait for a slow Redis. One more and the lines are given up: who misses something asks for it."""
SUBSCRIBED_AT_ONCE = 500
HEARD_AT_ONCE = 100
"""Messages in a turn of the loop."""
SHARDED_FROM = 7
"""The first version of Redis that knows sharded publish and subscribe."""
_VERSION = re.compile(rb"redis_version:(\d+)")
_MESSAGES = (b"smessage", b"message")
_CONFIRMATIONS = (b"ssubscribe", b"subscribe")


class _BrokenError(Exception):
    """The lines are of no use any more; the message says why, in a word."""


class RedisBus:
    """Implements `steinmetz.realtime.adapters.bus.Bus`."""

    def __init__(self, url: str, *, prefix: str = "steinmetz") -> None:
        """Raises `ValueError` for an address that is none."""
        options: dict[str, Any] = {"socket_connect_timeout": CONNECT_S, "socket_timeout": None, "protocol": 2}
        self._client: Any = Redis.from_url(url, retry=Retry(NoBackoff(), 0), health_check_interval=0, **options)
        self._prefix = prefix
        self._keys: dict[str, Keys] = {}
        self._echo = f"{{{prefix}:realtime}}:echo:{token_hex(8)}"
        self._receiver: Receiver | None = None
        self._tasks: Tasks | None = None
        self._subscriptions = Subscriptions()
        self._outbox: list[tuple[str, bytes] | Record | str] = []
        """What is published, what is recorded, and namespaces whose logs are forgotten."""
        self._outbox_bytes = 0
        self._work = asyncio.Event()
        self._sent = asyncio.Event()
        self._wishes = asyncio.Event()
        self._is_up = False
        self._echoed = 0
        self._was_told = False
        self._broken: asyncio.Future[None] | None = None

    # -- Bus -----------------------------------------------------------------------------------------------------

    def start(self, receiver: Receiver) -> None:
        self._receiver = receiver
        if self._tasks is None:
            self._tasks = Tasks("realtime bus")
            self._tasks.spawn("lives", self._lives(receiver))

    def publish(self, channel: str, message: bytes) -> None:
        self._say((channel, message), len(message))

    def record(self, record: Record) -> None:
        self._say(record, len(record.body) * (1 + len(record.channels)))

    def forget(self, namespace: str) -> None:
        self._say(namespace, 0)

    def _say(self, said: tuple[str, bytes] | Record | str, size: int) -> None:
        if not self._is_up:
            return
        if self._outbox and self._outbox_bytes + size > MAX_OUTBOX:
            self._break(_BrokenError("full"))
            return
        self._outbox.append(said)
        self._outbox_bytes += size
        self._work.set()

    def subscribe(self, channel: str) -> None:
        self._subscriptions.want(channel)
        self._wish()

    def unsubscribe(self, channel: str) -> None:
        self._subscriptions.leave(channel)
        self._wish()

    def _wish(self) -> None:
        if self._is_up:
            self._wishes.set()

    @property
    def is_settled(self) -> bool:
        """Whether all that was asked to be heard is heard for certain."""
        return self._is_up and self._subscriptions.all_stand

    def stands(self, channel: str) -> bool:
        return self._subscriptions.stands(channel)

    async def settle(self, channels: Collection[str]) -> None:
        if not self._is_up:
            raise OSError(OUT_OF_REACH)
        await self._subscriptions.settle(channels)

    async def aclose(self) -> None:
        if self._tasks is not None:
            if self._is_up:
                with suppress(TimeoutError):
                    async with asyncio.timeout(FAREWELL_S):
                        while self._outbox:
                            self._sent.clear()
                            await self._sent.wait()
            tasks, self._tasks = self._tasks, None
            await tasks.aclose()
            self._is_up = False
        with suppress(RedisError, OSError):
            await self._client.aclose()

    # -- one life after the other --------------------------------------------------------------------------------

    async def _lives(self, receiver: Receiver) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            why = "unreachable"
            try:
                await self._live(receiver)
            except _BrokenError as broken:
                why = str(broken)
            except (RedisError, OSError, TimeoutError, ValueError) as error:
                why = type(error).__name__
            except Exception as error:  # of whoever was told; a bus that has died would never be missed
                why = type(error).__name__
                log.error("The realtime bus failed", error=why, exc_info=error)
            self._subscriptions.fall()
            if self._is_up:
                self._is_up = False
                pause_s = FIRST_PAUSE_S
                try:
                    receiver.lost(why)
                except Exception as error:
                    log.error("An outage could not be told", error=type(error).__name__, exc_info=error)
            if not self._was_told:
                self._was_told = True
                log.warning("The realtime bus is out of reach; it is tried again", reason=why)
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _live(self, receiver: Receiver) -> None:
        """Until the lines break; then raises why."""
        tasks = Tasks("realtime bus lines")
        pool = self._client.connection_pool
        speaking, listening = pool.make_connection(), pool.make_connection()
        broken = self._broken = asyncio.get_running_loop().create_future()
        self._outbox, self._outbox_bytes = [], 0
        try:
            await speaking.connect()
            await listening.connect()
            publish, subscribe, unsubscribe = await _commands(speaking)
            tasks.spawn("listen", self._breaking(self._listen(listening, receiver)))
            await self._subscribe(listening, subscribe)
            self._is_up = True
            self._wishes.set()
            tasks.spawn("speak", self._breaking(self._speak(speaking, publish, receiver)))
            tasks.spawn("change", self._breaking(self._follow(listening, subscribe, unsubscribe)))
            tasks.spawn("echo", self._breaking(self._say_and_hear()))
            if self._was_told:
                self._was_told = False
                log.info("The realtime bus is there again")
            receiver.restored()
            await broken
        finally:
            await tasks.aclose()
            if broken.done():
                broken.exception()  # has been heard, whichever of the two it was
            for line in (speaking, listening):
                with suppress(RedisError, OSError):
                    await line.disconnect(nowait=True)

    async def _breaking(self, work: Coroutine[Any, Any, None]) -> None:
        """What breaks one line ends the life of both."""
        try:
            await work
        except (RedisError, OSError, TimeoutError, ValueError, _BrokenError) as error:
            self._break(error)
        except Exception as error:
            self._break(error)
            raise  # it is logged with its line; the lines are made anew

    def _break(self, error: Exception) -> None:
        if self._broken is not None and not self._broken.done():
            self._broken.set_exception(error)

    # -- speaking ------------------------------------------------------------------------------------------------

    async def _speak(self, line: Any, publish: bytes, receiver: Receiver) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._outbox:
                batch, self._outbox, self._outbox_bytes = self._outbox, [], 0
                packed = line.pack_commands([self._command(said, publish) for said in batch])
                await line.send_packed_command(packed, check_health=False)
                for said in batch:
                    try:
                        await line.read_response(disable_decoding=True, timeout=math.inf)
                    except NoScriptError:
                        raise
                    except ResponseError as error:
                        if not isinstance(said, Record):
                            raise
                        log.warning("Redis keeps no events for those who come back", error=str(error))
                        receiver.unrecorded(said)
            self._sent.set()

    def _command(self, said: tuple[str, bytes] | Record | str, publish: bytes) -> Sequence[Any]:
        if isinstance(said, str):
            return b"DEL", self._keys_of(said).state
        if isinstance(said, Record):
            return append_command(said, self._keys_of(said.namespace), APPEND.digest, publish)
        channel, message = said
        return publish, channel, PLAIN + message

    def _keys_of(self, namespace: str) -> Keys:
        keys = self._keys.get(namespace)
        if keys is None:
            if len(self._keys) >= MAX_KEYS:  # clients may call any number of namespaces into being
                self._keys.clear()
            keys = self._keys[namespace] = Keys(self._prefix, namespace)
        return keys

    async def _say_and_hear(self) -> None:
        self._echoed = said = 0
        while said - self._echoed < DEAF_AFTER:
            said += 1
            self.publish(self._echo, b"%d" % said)
            await asyncio.sleep(ECHO_S)
        raise _BrokenError("deaf")

    # -- listening -----------------------------------------------------------------------------------------------

    async def _listen(self, line: Any, receiver: Receiver) -> None:
        in_a_row = 0
        while True:
            kind, channel, told = await line.read_response(disable_decoding=True, timeout=math.inf)
            if kind in _MESSAGES:
                name = channel.decode()
                if name == self._echo:
                    self._echoed = int(told[1:])
                elif self._is_up:
                    hand_over(receiver, name, told)
            elif kind in _CONFIRMATIONS:
                self._subscriptions.confirmed(channel.decode())
            in_a_row += 1
            if in_a_row >= HEARD_AT_ONCE:
                in_a_row = 0
                await asyncio.sleep(0)

    async def _subscribe(self, line: Any, subscribe: bytes) -> None:
        """Everything that is wanted, and wait until it stands."""
        channels = self._subscriptions.begin(self._echo)
        stands = asyncio.ensure_future(self._subscriptions.settle(channels))
        try:
            await _send(line, subscribe, channels)
            async with asyncio.timeout(SUBSCRIBE_S):
                await stands
        finally:
            stands.cancel()

    async def _follow(self, line: Any, subscribe: bytes, unsubscribe: bytes) -> None:
        """Say what is wanted now: once a turn, and nothing of what was wanted for a moment only."""
        while True:
            await self._wishes.wait()
            self._wishes.clear()
            wanted, left = self._subscriptions.take_changes()
            await _send(line, subscribe, wanted)
            await _send(line, unsubscribe, left)


async def _send(line: Any, command: bytes, channels: Sequence[str]) -> None:
    for start in range(0, len(channels), SUBSCRIBED_AT_ONCE):
        some = channels[start : start + SUBSCRIBED_AT_ONCE]
        await line.send_packed_command(line.pack_command(command, *some), check_health=False)


async def _commands(line: Any) -> tuple[bytes, bytes, bytes]:
    """How this server publishes, subscribes and unsubscribes: sharded from version 7 on."""
    await line.send_command("SCRIPT", "LOAD", APPEND.text)
    await line.read_response(disable_decoding=True)
    await line.send_command("INFO", "server")
    found = _VERSION.search(await line.read_response(disable_decoding=True))
    if found is not None and int(found[1]) < SHARDED_FROM:
        return b"PUBLISH", b"SUBSCRIBE", b"UNSUBSCRIBE"
    return b"SPUBLISH", b"SSUBSCRIBE", b"SUNSUBSCRIBE"


def redis_cluster(
    url: str,
    *,
    secret: str | bytes,
    prefix: str = "steinmetz",
    clock: Clock | None = None,
    journal_bytes: int = JOURNAL_BYTES,
) -> Cluster:
    """This process as one server of those that share the Redis at ``url``, the ``prefix`` and the ``secret``.

    ``Server(cluster=redis_cluster(...))``. ``journal_bytes``: what is kept to be said again to a server that was
    out of reach. Nothing is asked of Redis before the server starts. Raises `ValueError` for an address that is
    none and for a secret of less than 16 bytes.
    """

    def store(config: ConnectionStateRecovery, heartbeat_s: float) -> RedisStore:
        return RedisStore(url, config, secret=secret, prefix=prefix, heartbeat_s=heartbeat_s)

    bus = RedisBus(url, prefix=prefix)
    return Cluster(Node(bus, secret, prefix=prefix, clock=clock, journal_bytes=journal_bytes), store)
