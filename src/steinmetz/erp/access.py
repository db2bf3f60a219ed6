"""The access log: one line a request, whichever door it came through.

Where the log is JSON on standard error, which is what a server writes, the line is written straight: the chain of
processors takes longer than answering from the cache. Everywhere else it goes through structlog as any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TextIO

import orjson
import structlog

from steinmetz.addresses import MAX_UNKNOWN_CHARS
from steinmetz.clock import Clock
from steinmetz.erp.logging import json_stream, one_line

log = structlog.get_logger("steinmetz.access")

MESSAGE = "Request"

MAX_METHOD_CHARS = 20
MAX_PATH_CHARS = 300
MAX_AGENT_CHARS = 120


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def short_address(host: str) -> str:
    """Where a request comes from, as a log line says it: a proxy may have put anything there."""
    return shortened(host, MAX_UNKNOWN_CHARS)


class AccessLog:
    """Lines of level ``info`` with ``msg`` "Request"."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pending: list[str] = []
        self._stream: TextIO | None = None
        """Where lines of this turn of the event loop go; None if not straight there."""
        self._end = ""

    def write(self, fields: Mapping[str, Any]) -> None:
        """One line now."""
        stream = json_stream()
        line = None if stream is None else _as_json(fields)
        if stream is None or line is None:
            log.info(MESSAGE, **fields)
            return
        self.flush()
        stream.write(f'{line[:-1]},"level":"info","timestamp":"{self._timestamp()}","msg":"{MESSAGE}"}}\n')
        stream.flush()

    def write_kept(self, line: KeptLine, duration_ms: float, address: str, request_id: str) -> None:
        """The line of an answer that leaves below ASGI; ``address`` as `address_json` says it.

        Such lines are written together, once in a turn of the event loop, with the time of the first of them.
        """
        if not self._pending:
            self._begin_turn()
        if self._stream is not None:
            self._pending.append(
                f"{line.head}{duration_ms:.3f}{line.middle}{address}{line.agent}{request_id}{self._end}"
            )
        else:
            log.info(MESSAGE, **line.fields(duration_ms, address, request_id))

    def _begin_turn(self) -> None:
        self._stream = json_stream()
        if self._stream is not None:
            self._end = f'","level":"info","timestamp":"{self._timestamp()}","msg":"{MESSAGE}"}}\n'
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write what waits."""
        if self._pending and self._stream is not None:
            pending, self._pending = self._pending, []
            self._stream.write("".join(pending))
            self._stream.flush()

    def _timestamp(self) -> str:
        return self._clock.now().isoformat()[:-6] + "Z"


class KeptLine:
    """The line of one kept answer, but for what differs each time: how long, from where, under which id.

    The order of the fields is that of `request_line`.
    """

    __slots__ = ("_fields", "agent", "head", "middle")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields
        self.head = _head(fields["method"], fields["route"], fields["path"], fields["status"])
        self.middle = _middle(fields["bytes"], fields["bytes_in"], fields["cache"], fields["user"])
        self.agent = _agent(fields["agent"])

    def fields(self, duration_ms: float, address: str, request_id: str) -> dict[str, Any]:
        return {
            **self._fields,
            "duration_ms": round(duration_ms, 3),
            "address": orjson.loads(address),
            "request_id": request_id,
        }


def request_line(
    *,
    method: str,
    route: str | None,
    path: str,
    status: int,
    duration_ms: float,
    size: int,
    bytes_in: int,
    cache: str | None,
    user: str | None,
    address: str | None,
    agent: str,
    request_id: str,
) -> dict[str, Any]:
    """The fields of a line."""
    return {
        "method": shortened(method, MAX_METHOD_CHARS),
        "route": route,
        "path": shortened(path, MAX_PATH_CHARS),
        "status": status,
        "duration_ms": duration_ms,
        "bytes": size,
        "bytes_in": bytes_in,
        "cache": cache,
        "user": user,
        "address": None if address is None else short_address(address),
        "agent": shortened(agent, MAX_AGENT_CHARS),
        "request_id": request_id,
    }


# Requests have few routes, users and agents; texts are joined much faster than they are made.


@lru_cache(maxsize=1_024)
def _head(method: str, route: str | None, path: str, status: int) -> str:
    return (
        f'{{"method":{_text(method)},"route":{_text(route)},"path":{_text(path)},"status":{status},"duration_ms":'
    )


@lru_cache(maxsize=1_024)
def _middle(size: int, bytes_in: int, cache: str | None, user: str | None) -> str:
    return f',"bytes":{size},"bytes_in":{bytes_in},"cache":{_text(cache)},"user":{_text(user)},"address":'


@lru_cache(maxsize=1_024)
def _agent(agent: str) -> str:
    return f',"agent":{_text(agent)},"request_id":"'


def address_json(host: str | None) -> str:
    return _text(None if host is None else short_address(host))


def _text(text: str | None) -> str:
    """As JSON. No text of a request that came below ASGI has half a surrogate pair in it."""
    return orjson.dumps(None if text is None else one_line(text)).decode()


def _as_json(fields: Mapping[str, Any]) -> str | None:
    """None for half a surrogate pair, which the long way can say."""
    try:
        return orjson.dumps(
            {name: one_line(value) if isinstance(value, str) else value for name, value in fields.items()}
        ).decode()
    except TypeError:
        return None
