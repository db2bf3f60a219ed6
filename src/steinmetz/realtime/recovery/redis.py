"""Redis (7 or newer) as the memory of several processes: a stream for every room, a key for every session.

All keys lie on the hash slot of the channels of their cluster (`Keys`): of each namespace ``state`` (epoch,
position, the last number of each node), ``lane`` and ``lane:<room>`` (streams whose ids are positions), and
``session:<sid>``. Who says something runs ``append.lua`` (`adapters.redis.RedisBus.record`), which gives it its
position, keeps it and publishes it, in one step; here it is read, at recovery only (trap T29).

When Redis has lost its data, or may have lost some because it was started anew, there is a new epoch. Redis knows
the epochs only; the key of offsets and pids comes from them and a ``secret`` that the processes share.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2s, sha1
from importlib import resources
from secrets import token_hex
from typing import Any
from weakref import WeakSet

import structlog

from steinmetz.realtime.adapters.framing import LANE_LENGTH
from steinmetz.realtime.adapters.seal import MIN_SECRET, MessageError, Seal
from steinmetz.realtime.config import ConnectionStateRecovery
from steinmetz.realtime.recovery.base import Reading
from steinmetz.realtime.recovery.record import Keys, open_kept
from steinmetz.realtime.recovery.sessions import decode_session, encode_session
from steinmetz.realtime.socketio.recovery import Entry, Epoch, Kind, Lane, Session, stamp
from steinmetz.tasks import Tasks

try:
    from redis.asyncio import Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import NoScriptError, RedisError
except ImportError as error:
    raise ImportError("recovery over Redis needs its driver: pip install 'steinmetz[redis]'") from error

log = structlog.get_logger("steinmetz.realtime")

TIMEOUT_S = 2.0
FAREWELL_S = 5.0
"""So long an end waits for sessions to be saved: a Redis that does not answer must not hold it up."""
MAX_WAITING = 50_000
"""Sessions that wait to be saved; one more and the oldest of them is lost."""
SAVED_AT_ONCE = 200
ASKED_AT_ONCE = 200


class _Script:
    def __init__(self, name: str) -> None:
        text = (resources.files("steinmetz.realtime.recovery") / "lua" / f"{name}.lua").read_bytes()
        self.text = text.removeprefix(b"#!lua\n")  # which Redis knows from version 7 on
        self.digest = sha1(self.text, usedforsecurity=False).hexdigest().encode()


APPEND, _READ, _SAVE = (_Script(name) for name in ("append", "read", "save"))


class _Door:
    """To Redis. Whoever comes back asks several things, and thousands come back at once: what is asked while an
    answer is under way leaves as one pipeline behind it. Bound: a few questions for each who comes back."""

    def __init__(self, client: Any, spawn: Callable[..., Any]) -> None:
        self._client = client
        self._spawn = spawn
        self._waiting: deque[tuple[tuple[Any, ...], asyncio.Future[Any]]] = deque()
        self._is_working = False

    async def ask(self, *command: Any) -> Any:
        """Raises `OSError` for whatever goes wrong."""
        with _reaching():
            return await self._ask(*command)

    async def run(self, script: _Script, *arguments: Any) -> Any:
        """The same for a script."""
        with _reaching():
            try:
                return await self._ask("EVALSHA", script.digest, *arguments)
            except NoScriptError:
                return await self._ask("EVAL", script.text, *arguments)

    async def _ask(self, *command: Any) -> Any:
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answer))
        if not self._is_working:
            try:
                self._spawn("ask", self._work())
            except RuntimeError as error:
                self._waiting.clear()
                raise OSError("the server has been shut down") from error
            self._is_working = True
        return await answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                asked = [self._waiting.popleft() for _ in range(min(ASKED_AT_ONCE, len(self._waiting)))]
                for (_, answer), result in zip(asked, await self._answers(asked), strict=True):
                    if answer.done():
                        continue
                    if isinstance(result, Exception):
                        answer.set_exception(result)
                    else:
                        answer.set_result(result)
        finally:
            self._is_working = False

    async def _answers(self, asked: list[tuple[tuple[Any, ...], asyncio.Future[Any]]]) -> list[Any]:
        try:
            pipeline = self._client.pipeline(transaction=False)
            for command, _ in asked:
                pipeline.execute_command(*command)
            answers: list[Any] = await pipeline.execute(raise_on_error=False)
            return answers
        except (RedisError, OSError, TimeoutError) as error:
            return [error] * len(asked)
        except Exception as error:  # whoever has asked must hear of it, whatever it is
            log.error("Redis could not be asked", error=type(error).__name__, exc_info=error)
            return [OSError(f"Redis cannot be asked: {type(error).__name__}")] * len(asked)


@contextmanager
def _reaching() -> Iterator[None]:
    try:
        yield
    except (RedisError, TimeoutError) as error:
        raise OSError(f"Redis cannot be asked: {type(error).__name__}") from error


class RedisLog:
    """Bound: `LANE_LENGTH` entries a room, and a room that is silent for ``life_s`` seconds is forgotten."""

    def __init__(
        self,
        door: _Door,
        keys: Keys,
        secret: bytes,
        seal: Seal,
        namespace: str,
        *,
        life_s: float,
        takeover_s: float,
    ) -> None:
        self.life_s = life_s
        self.takeover_s = takeover_s
        self._door = door
        self._keys = keys
        self._secret = secret
        self._seal = seal
        self._namespace = namespace
        self._life = b""
        self._epoch = self._epoch_of(token_hex(16).encode())

    def _epoch_of(self, life: bytes) -> Epoch:
        return Epoch(blake2s(life, key=self._secret).digest(), self._namespace)

    @property
    def epoch(self) -> Epoch:
        """As Redis last said; before it has said anything, one that nobody else has."""
        return self._epoch

    def lives(self, life: bytes) -> None:
        if life != self._life:
            self._life, self._epoch = life, self._epoch_of(life)

    async def position(self) -> int:
        position, _, _ = await self._read({})
        return position

    async def read(self, lanes: Mapping[Lane, int]) -> Reading | None:
        position, found, nodes = await self._read(lanes)
        whole: dict[Lane, Sequence[Entry]] = {}
        for (lane, asked), entries in zip(lanes.items(), found, strict=True):
            before = asked
            kept: list[Entry] = []
            for named, number, encoded in zip(*[iter(entries)] * 3, strict=True):
                if int(named) > before:
                    return None
                before = int(number)
                try:
                    entry = open_kept(self._seal, self._keys, before, encoded)
                except MessageError:
                    return None
                if entry.kind is Kind.EMIT:
                    entry = entry._replace(packets=stamp(entry.packets, self._epoch.offset(before)).packets)
                kept.append(entry)
            if len(kept) > LANE_LENGTH:
                return None
            whole[lane] = kept
        numbers = {
            node.decode(): int(known.partition(b":")[0]) for node, known in zip(*[iter(nodes)] * 2, strict=True)
        }
        return Reading(position, whole, numbers)

    async def _read(self, lanes: Mapping[Lane, int]) -> tuple[int, list[list[bytes]], list[bytes]]:
        keys = [self._keys.state, *map(self._keys.lane, lanes)]
        arguments = (token_hex(16), LANE_LENGTH + 1, *lanes.values())
        life, position, found, nodes = await self._door.run(_READ, len(keys), *keys, *arguments)
        self.lives(life)
        return int(position), found, nodes


class RedisSessions:
    """Bound: one key a client; it goes ``duration_s`` seconds after its client, or after the process died."""

    def __init__(
        self,
        client: Any,
        door: _Door,
        keys: Keys,
        seal: Seal,
        spawn: Callable[..., Any],
        *,
        duration_s: float,
        heartbeat_s: float,
    ) -> None:
        self._client = client
        self._door = door
        self._keys = keys
        self._seal = seal
        self._spawn = spawn
        self._duration_ms = int(duration_s * 1_000)
        self._connected_ms = int((duration_s + 2 * heartbeat_s) * 1_000)
        self._refresh_s = heartbeat_s
        self._owners: dict[str, str] = {}
        self._waiting: deque[tuple[Any, ...]] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self.lost = 0
        """Sessions that could not be kept."""

    def save(self, session: Session, owner: str) -> None:
        is_new = session.is_connected and self._owners.get(session.sid) != owner
        if session.is_connected:
            self._owners[session.sid] = owner
        else:
            self._owners.pop(session.sid, None)
        self._put(session, owner, is_new=is_new)

    def give_back(self, session: Session) -> None:
        self._put(session, token_hex(8), is_new=True)

    def _put(self, session: Session, owner: str, *, is_new: bool) -> None:
        life_ms = self._connected_ms if session.is_connected else self._duration_ms
        key = self._keys.session(session.sid)
        self._queue("save", key, owner, self._seal.wrap(key, encode_session(session)), life_ms, int(is_new))

    def forget(self, sid: str) -> None:
        if self._owners.pop(sid, None) is not None:
            self._queue("forget", self._keys.session(sid))

    def _queue(self, *command: Any) -> None:
        self._waiting.append(command)
        if len(self._waiting) > MAX_WAITING:
            self._waiting.popleft()
            self.lost += 1
        if self._writing is None:
            with suppress(RuntimeError):  # the server has been shut down
                self._writing = self._spawn("save sessions", self._write())
        if self._refreshing is None and self._owners:
            with suppress(RuntimeError):
                self._refreshing = self._spawn("refresh sessions", self._refresh())

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(SAVED_AT_ONCE, len(self._waiting)))]
                try:
                    await self._write_all(batch)
                except Exception as error:  # Redis is away, or does not take it: the others are tried
                    self.lost += len(batch)
                    reason = str(error) if isinstance(error, OSError) else type(error).__name__
                    log.warning("Sessions could not be saved", sessions=len(batch), error=reason)
        finally:
            self._writing = None

    async def _write_all(self, batch: list[tuple[Any, ...]]) -> None:
        with _reaching():
            pipeline = self._client.pipeline(transaction=False)
            for kind, key, *arguments in batch:
                if kind == "save":
                    pipeline.execute_command("EVAL", _SAVE.text, 1, key, *arguments)
                else:
                    pipeline.delete(key)
            await pipeline.execute()

    async def _refresh(self) -> None:
        """A session of a process that has died must not live on for long, and that of one that lives must.

        Ends once nobody is connected: a namespace that clients called into being leaves no task behind.
        """
        try:
            while self._owners:
                await asyncio.sleep(self._refresh_s)
                sids = list(self._owners)
                for start in range(0, len(sids), SAVED_AT_ONCE):
                    with suppress(OSError):
                        await self._prolong(sids[start : start + SAVED_AT_ONCE])
        finally:
            self._refreshing = None

    async def _prolong(self, sids: list[str]) -> None:
        with _reaching():
            pipeline = self._client.pipeline(transaction=False)
            for sid in sids:
                pipeline.pexpire(self._keys.session(sid), self._connected_ms)
            await pipeline.execute()

    async def saved(self) -> None:
        if self._writing is not None:
            await asyncio.shield(self._writing)

    async def is_held(self, sid: str) -> bool:
        key = self._keys.session(sid)
        session = self._session(key, await self._door.ask("GET", key))
        return session is not None and session.is_connected

    async def take(self, sid: str) -> Session | None:
        await self.saved()
        key = self._keys.session(sid)
        return self._session(key, await self._door.ask("GETDEL", key))

    def _session(self, key: str, kept: bytes | None) -> Session | None:
        if kept is None:
            return None
        try:
            return decode_session(self._seal.unwrap(key, kept.partition(b" ")[2]))
        except (MessageError, ValueError, TypeError, KeyError):
            return None


class RedisStore:
    """What the processes of one product share. ``secret``, 16 bytes or more, is theirs and not Redis's.

    It is that of the cluster with the same ``url``, ``secret`` and ``prefix``; `redis_cluster` brings it along.
    """

    is_shared = True

    def __init__(
        self,
        url: str,
        config: ConnectionStateRecovery,
        *,
        secret: str | bytes,
        prefix: str = "steinmetz",
        heartbeat_s: float = 65.0,
    ) -> None:
        """``heartbeat_s``: how long an emission to a peer that is gone can go unnoticed.

        Raises `ValueError` for a URL that is none, and for a secret that is too short.
        """
        secret = secret.encode() if isinstance(secret, str) else secret
        if len(secret) < MIN_SECRET:
            raise ValueError(f"the secret of recovery has at least {MIN_SECRET} bytes")
        self._secret = blake2s(secret, person=b"recovery").digest()
        self._seal = Seal(secret)
        self._config = config
        self._prefix = prefix
        self._heartbeat_s = heartbeat_s
        self._sessions: WeakSet[RedisSessions] = WeakSet()
        """As long as their namespaces live, or they have something to save."""
        self._tasks = Tasks("realtime recovery")
        self._client: Any = Redis.from_url(
            url,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        self._door = _Door(self._client, self._spawn)

    def open(self, namespace: str) -> tuple[RedisLog, RedisSessions]:
        keys = Keys(self._prefix, namespace)
        away_s = self._config.max_disconnection_duration_s
        kept = RedisLog(
            self._door,
            keys,
            self._secret,
            self._seal,
            namespace,
            life_s=away_s + self._heartbeat_s,
            takeover_s=self._config.takeover_timeout_s,
        )
        sessions = RedisSessions(
            self._client,
            self._door,
            keys,
            self._seal,
            self._spawn,
            duration_s=away_s,
            heartbeat_s=min(self._heartbeat_s, away_s),
        )
        self._sessions.add(sessions)
        return kept, sessions

    def _spawn(self, name: str, coroutine: Any) -> asyncio.Task[Any]:
        return self._tasks.spawn(name, coroutine)

    async def aclose(self) -> None:
        """Save what can be saved within `FAREWELL_S`, and leave. Idempotent."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                for sessions in tuple(self._sessions):
                    await sessions.saved()
        await self._tasks.aclose()
        with suppress(RedisError, OSError):
            await self._client.aclose()
