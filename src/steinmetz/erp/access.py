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

from steinmetz.clock import Clock
from steinmetz.erp.kit.addresses import MAX_UNKNOWN_CHARS
from steinmetz.erp.logging import json_stream, one_line

log = structlog.get_logger("steinmetz.access")

MESSAGE = "Request"


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

    def write_kept(self, line: KeptLine, duration_ms: float, address: str | None, request_id: str) -> None:
        """The line of an answer that leaves below ASGI; these are written together, once a turn of the loop."""
        stream = json_stream()
        if stream is None or line.head is None:
            log.info(MESSAGE, **line.fields(duration_ms, address, request_id))
            return
        if stream is not self._stream:
            self.flush()
            self._stream = stream
        if not self._pending:
            asyncio.get_running_loop().call_soon(self.flush)
        self._pending.append(
            f'{line.head}{duration_ms:.3f}{line.size}{_address_json(address)}{line.agent}"{request_id}","level":"info",'
            f'"timestamp":"{self._timestamp()}","msg":"{MESSAGE}"}}\n'
        )

    def flush(self) -> None:
        """Write what waits."""
        pending, self._pending = self._pending, []
        if pending and self._stream is not None:
            self._stream.write("".join(pending))
            self._stream.flush()

    def _timestamp(self) -> str:
        return self._clock.now().isoformat()[:-6] + "Z"


class KeptLine:
    """The line of one kept answer, but for what differs each time: how long, from where, under which id."""

    __slots__ = ("_fields", "agent", "head", "size")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        """``fields`` in their order, with any values for those three."""
        self._fields = dict(fields)
        names = list(self._fields)
        cuts = [names.index(name) for name in ("duration_ms", "address", "request_id")]
        self.head: str | None = _part(self._fields, names[: cuts[0] + 1], opening="{")
        self.size = _part(self._fields, names[cuts[0] + 1 : cuts[1] + 1], opening=",")
        self.agent = _part(self._fields, names[cuts[1] + 1 : cuts[2] + 1], opening=",")
        if self.size is None or self.agent is None:
            self.head = None

    def fields(self, duration_ms: float, address: str | None, request_id: str) -> dict[str, Any]:
        return self._fields | {
            "duration_ms": round(duration_ms, 3),
            "address": None if address is None else short_address(address),
            "request_id": request_id,
        }


@lru_cache(maxsize=4_096)
def _address_json(address: str | None) -> str:
    return orjson.dumps(None if address is None else one_line(short_address(address))).decode()


def _part(fields: Mapping[str, Any], names: list[str], *, opening: str) -> str | None:
    """The JSON of ``names``, without the value of the last one."""
    line = _as_json({name: fields[name] for name in names[:-1]} | {names[-1]: 0})
    return None if line is None else opening + line[1:-2]


def _as_json(fields: Mapping[str, Any]) -> str | None:
    """None for half a surrogate pair, which the long way can say."""
    try:
        return orjson.dumps(
            {name: one_line(value) if isinstance(value, str) else value for name, value in fields.items()}
        ).decode()
    except TypeError:
        return None
