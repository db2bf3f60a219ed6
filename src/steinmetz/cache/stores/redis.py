"""Redis (7 or newer) or Valkey as the place of the cluster's log and of the second store; nobody else speaks it.

All keys begin with ``{prefix}``, so they lie on one hash slot: ``state`` (boot id, number, tip, open marks),
``log`` (a stream), and for the second store ``e:<digest>``, ``index`` and ``total``. Redis should not evict keys
by itself (``maxmemory-policy noeviction``): if it does, the log is found broken and everything is forgotten.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b, sha1
from importlib import resources
from secrets import token_hex
from typing import Any

import orjson

from steinmetz.cache.invalidation.link import Joined, Looked, Offered, OpenMark, UnreachableError
from steinmetz.cache.invalidation.node import ClusterNode
from steinmetz.cache.policy.change_log import TIMEOUT_S, LogEntry, Op, Position
from steinmetz.cache.policy.consistency import SESSION, Consistency, Token, consistency_of
from steinmetz.clock import Clock
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.told import NotToldError, heard_writes, told_writes

try:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis
    from redis.asyncio.retry import Retry as AsyncRetry
    from redis.backoff import NoBackoff
    from redis.exceptions import NoScriptError, RedisError, ResponseError
    from redis.retry import Retry
except ImportError as error:
    raise ImportError("the cache over Redis needs its driver: pip install 'steinmetz[redis]'") from error

HEARTBEAT_S = 0.1
LOG_LENGTH = 8_192
"""Entries of the log that are kept, roughly: a node that is further behind forgets everything."""
LOOK_AT_MOST = 1_000
_RUN_ID = re.compile(rb"run_id:([0-9a-f]+)")
MAX_TOLD = 8_192
"""Bytes of one write set in the log."""
LEASE_S = 5.0
SHARED_BYTES = 64 * 1024 * 1024
NUMBER = 16
"""Digits with which an offered answer begins, so that Lua can tell which of two is the newer."""


class _Script:
    def __init__(self, name: str) -> None:
        self.text = (resources.files("steinmetz.cache.stores") / "lua" / f"{name}.lua").read_bytes()
        self.digest = sha1(self.text, usedforsecurity=False).hexdigest().encode()


class RedisLink:
    """The `Link` of the node called ``node``."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str,
        node: str,
        realm: str = "",
        lease_s: float = LEASE_S,
        shared_bytes: int = SHARED_BYTES,
    ) -> None:
        self._node = node
        self._lease_ms = b"%d" % int(lease_s * 1_000)
        self._shared_bytes = b"%d" % shared_bytes
        slot = b"{%b}" % prefix.encode()
        self._entry = slot + b"e:"
        self._realm_key = blake2b(realm.encode(), digest_size=32).digest()
        self._state, self._log, self._index, self._total = (
            slot + name for name in (b"state", b"log", b"index", b"total")
        )
        self._tell, self._look, self._join, self._fetch, self._offer = (
            _Script(name) for name in ("tell", "look", "join", "fetch", "offer")
        )
        options: dict[str, Any] = {"socket_connect_timeout": TIMEOUT_S, "protocol": 2}
        self._blocking: Any = Redis.from_url(url, socket_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0), **options)
        options["retry"] = AsyncRetry(NoBackoff(), 0)
        self._asking: Any = AsyncRedis.from_url(url, socket_timeout=TIMEOUT_S, **options)
        self._line: Any = None
        self._server: bytes | None = None
        self._packed: tuple[bytes, list[bytes]] = (b"", [])
        self._waiting: Any = AsyncRedis.from_url(url, socket_timeout=TIMEOUT_S + HEARTBEAT_S, **options)

    # -- the log

    def tell(self, op: Op, mark: int, writes: WriteSet) -> Token:
        told = _told(writes)
        keys = (2, self._state, self._log)
        arguments = (*keys, token_hex(8), op, self._node, mark, told, self._lease_ms, LOG_LENGTH)
        with _reaching():
            try:
                boot, number = self._blocking.execute_command("EVALSHA", self._tell.digest, *arguments)
            except NoScriptError:
                boot, number = self._blocking.execute_command("EVAL", self._tell.text, *arguments)
        return Token(boot, int(number))

    async def look(self, number: int) -> Looked:
        answer = await self._looked(b"%d" % number)
        if not answer:
            return Looked(None, [])
        boot, last, tip, entries = answer
        with _reaching():
            return Looked(Position(boot, int(last), tip), [_entry(*entry) for entry in entries])

    async def _looked(self, number: bytes) -> Any:
        """One look on a connection of its own: this is asked for hits, and the client's pool, retries and timers
        would cost as much as five of them."""
        with _reaching():
            if self._line is None or not self._line.is_connected:
                self._line, is_known = await self._connected()
                if not is_known:
                    return None
            line = self._line
            try:
                if self._packed[0] != number:
                    arguments = ("EVALSHA", self._look.digest, 2, self._state, self._log, number, LOOK_AT_MOST)
                    self._packed = number, line.pack_command(*arguments)
                async with asyncio.timeout(TIMEOUT_S):
                    await line.send_packed_command(self._packed[1], check_health=False)
                    answer = await line.read_response(disable_decoding=True)
            except NoScriptError:
                keys = (self._state, self._log)
                return await self._run(self._look, keys, number, LOOK_AT_MOST)
            except BaseException:
                # What was asked may still be answered: nobody may take that for the answer to another question.
                self._line = None
                await line.disconnect(nowait=True)
                raise
            return answer

    async def _connected(self) -> tuple[Any, bool]:
        """A new line, and whether it leads to the server that we have asked before.

        Another one may have less in its log and not know it: a replica that took over, or a restart from a
        snapshot (H15). Then, as where the server does not tell its name, everything is to be forgotten.
        """
        line = self._asking.connection_pool.make_connection()
        await line.connect()
        try:
            await line.send_command("INFO", "server")
            server = _RUN_ID.search(await line.read_response(disable_decoding=True))
        except ResponseError:
            server = None
        line.socket_timeout = None  # one timer for all is enough, see `_looked`
        name, before = None if server is None else server[1], self._server
        self._server = name
        return line, name is not None and name == before

    async def join(self) -> Joined:
        keys, arguments = (self._state, self._log), (token_hex(8), LOG_LENGTH, self._node)
        boot, number, tip, marks = await self._run(self._join, keys, *arguments)
        with _reaching():
            opened = [
                OpenMark(node.decode(), int(mark), int(left) / 1_000, heard_writes(orjson.loads(writes)))
                for node, mark, left, writes in zip(*(marks[at::4] for at in range(4)), strict=True)
            ]
            return Joined(Position(boot, int(number), tip), opened)

    async def wait(self, number: int) -> None:
        with _reaching():
            await self._waiting.execute_command(
                "XREAD", "COUNT", 1, "BLOCK", int(HEARTBEAT_S * 1_000), "STREAMS", self._log, f"{number}-0"
            )

    # -- the second store

    async def fetch(self, key: bytes) -> Offered | None:
        answer = await self._run(self._fetch, (self._entry_key(key),))
        if not answer:
            return None
        value, left_ms = answer
        with _reaching():
            return Offered(int(value[:NUMBER]), value[NUMBER:], int(left_ms) / 1_000)

    async def offer(self, key: bytes, boot: bytes, number: int, packed: bytes, life_s: float) -> None:
        keys = (self._entry_key(key), self._state, self._index, self._total)
        padded = b"%016d" % number
        arguments = (boot, padded, padded + packed)
        await self._run(self._offer, keys, *arguments, int(life_s * 1_000), self._shared_bytes)

    def _entry_key(self, key: bytes) -> bytes:
        return self._entry + blake2b(key, digest_size=20, key=self._realm_key).hexdigest().encode()

    # -- asking

    async def _run(self, script: _Script, keys: tuple[bytes, ...], *arguments: Any) -> Any:
        with _reaching():
            try:
                return await self._asking.execute_command("EVALSHA", script.digest, len(keys), *keys, *arguments)
            except NoScriptError:
                return await self._asking.execute_command("EVAL", script.text, len(keys), *keys, *arguments)

    async def aclose(self) -> None:
        line, self._line = self._line, None
        with _reaching():
            if line is not None:
                await line.disconnect()
            await self._asking.aclose()
            await self._waiting.aclose()

    def close(self) -> None:
        self._blocking.close()


@contextmanager
def _reaching() -> Iterator[None]:
    """Whatever goes wrong on the way, or comes back in a wrong shape, is `UnreachableError`."""
    try:
        yield
    except (RedisError, OSError, TimeoutError, NotToldError, ValueError, KeyError) as error:
        raise UnreachableError(type(error).__name__) from error


def _told(writes: WriteSet) -> bytes:
    """Never more than `MAX_TOLD`: without rows if it is longer with them, else as anything of its databases."""
    told = orjson.dumps(told_writes(writes))
    if len(told) > MAX_TOLD:
        told = orjson.dumps(told_writes(WriteSet(writes.relations, writes.unknown)))
    if len(told) > MAX_TOLD:
        databases = writes.unknown | {relation.database for relation in writes.relations}
        told = orjson.dumps(told_writes(WriteSet(unknown=databases)))
    return told


def _entry(number: bytes, fields: list[bytes]) -> LogEntry:
    told = dict(zip(fields[::2], fields[1::2], strict=True))
    return LogEntry(
        number=int(number.partition(b"-")[0]),
        before=told[b"before"],
        tip=told[b"tip"],
        op=Op(told[b"op"].decode()),
        node=told[b"node"].decode(),
        mark=int(told[b"mark"]),
        writes=heard_writes(orjson.loads(told[b"writes"])),
    )


def redis_cluster(
    url: str,
    *,
    prefix: str = "steinmetz",
    realm: str = "",
    consistency: Consistency | str = SESSION,
    clock: Clock | None = None,
    lease_s: float = LEASE_S,
    shared_bytes: int = SHARED_BYTES,
) -> ClusterNode:
    """This process as one node of those that share the Redis at ``url`` and the ``prefix``, for `ResponseCache`.

    All processes that write to one database need the same ``prefix``. Answers are given only to nodes of the same
    ``realm``: where several databases share a prefix, let it name the database.
    ``consistency`` is for routes that say nothing else: ``"session"``, ``"strong"`` or ``Bounded(within_ms)``.
    ``lease_s``: how long a write that was announced by a process that then died is waited for. ``shared_bytes``:
    what the answers in Redis may take; they have to fit beside all else there is. All nodes need the same two.
    Nothing is asked of Redis before the first request. Raises `ValueError` for an address that is none, and for
    a consistency that is none.
    """
    node = token_hex(6)
    link = RedisLink(url, prefix=prefix, node=node, realm=realm, lease_s=lease_s, shared_bytes=shared_bytes)
    return ClusterNode(link, node=node, lease_s=lease_s, consistency=consistency_of(consistency), clock=clock)
