"""The driver of load/socketio_load.c: thousands of screens that say when an event reached them."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.harness.compiled import compiled
from benchmarks.harness.pinning import pinned

SOURCE = Path(__file__).resolve().parent.parent / "load" / "socketio_load.c"


class LoadClientError(RuntimeError):
    """The load client ended, or did not understand; its own words are the message."""


class Arrivals:
    """Microseconds from a marker to each arrival, as a histogram that adds up over markers."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()

    def add(self, histogram: list[list[int]]) -> None:
        for us, count in histogram:
            self.counts[us] += count

    @property
    def count(self) -> int:
        return self.counts.total()

    def quantile_ms(self, q: float) -> float:
        """Raises `ValueError` when nothing arrived."""
        rank = q * self.count
        seen = 0
        for us, count in sorted(self.counts.items()):
            seen += count
            if seen >= rank:
                return us / 1000
        raise ValueError("nothing arrived")


@dataclass(frozen=True, slots=True)
class Connected:
    ready: int
    failed: int
    elapsed_us: int
    error: str


class SocketIOLoad:
    """One load client process; a context manager. ``auth`` is what a client sends with CONNECT."""

    def __init__(self, port: int, *, cores: frozenset[int], auth: dict[str, Any] | None = None) -> None:
        self.port = port
        with pinned(cores):
            self._process = subprocess.Popen(
                [str(compiled(SOURCE)), str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        if auth is not None:
            self.show(auth)

    def show(self, auth: dict[str, Any]) -> None:
        """Clients connected from now on send ``auth``."""
        self._say(f"auth {json.dumps(auth, separators=(',', ':'))}")

    def offer_deflate(self) -> None:
        """Clients connected from now on offer permessage-deflate; what is compressed counts as ``(deflated)``."""
        self._say("deflate")
        self._reply("deflating")

    def connect(self, clients: int, *, inflight: int = 64, within_s: float = 60.0) -> Connected:
        """Open ``clients`` more connections and wait until each is in its namespace or has failed."""
        self._say(f"connect {clients} {inflight} {int(within_s * 1000)}")
        reply = self._reply("connected")
        return Connected(reply["ready"], reply["failed"], reply["elapsed_us"], reply["error"])

    def expect(self, event: str, count: int, within_s: float) -> None:
        """From now on count arrivals of ``event``; `reached` waits for them."""
        self._say(f"expect {event} {count} {int(within_s * 1000)}")
        self._reply("expecting")

    def reached(self) -> tuple[bool, int]:
        """Wait for the end of the expectation: whether it was met, and how many arrived."""
        reply = self._reply("reached", "missed")
        return reply["reply"] == "reached", int(reply["have"])

    def arrivals(self, event: str, marker_ns: int, into: Arrivals) -> None:
        """Add the arrivals of the last expectation, counted from ``marker_ns`` of CLOCK_MONOTONIC."""
        self._say(f"arrivals {event} {marker_ns}")
        into.add(self._reply("arrivals")["histogram"])

    def timed(self, event: str) -> None:
        """``event`` says as its first argument when it was sent; `arrivals` from 0 is then how long each took."""
        self._say(f"timed {event}")
        self._reply("timed")

    def send(self, text: str, *, who: int | str = "all", times: int = 1) -> int:
        """Send an Engine.IO packet, such as ``42["go",5]``, from one client or all; the packets sent."""
        self._say(f"send {who} {times} {text}")
        return int(self._reply("sent")["packets"])

    def roundtrip(self, text: str, *, who: int | str = "all", times: int) -> None:
        """As `send`, each client waiting for an ack before the next; ``expect("(ack)", ...)`` sees the end."""
        self._say(f"roundtrip {who} {times} {text}")
        self._reply("sent")

    def stats(self) -> dict[str, Any]:
        self._say("stats")
        return self._reply("stats")

    def close(self) -> None:
        """Close all connections by ending the process."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it has vanished
                self._process.stdin.close()
        self._process.wait(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def vanish(self) -> None:
        """Lose all connections in one instant and without a word, as when a network fails."""
        self._process.kill()
        self._process.wait(10)

    def __enter__(self) -> SocketIOLoad:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def _reply(self, *expected: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise LoadClientError(f"the load client ended with status {self._process.wait()}")
        reply: dict[str, Any] = json.loads(line)
        if reply["reply"] not in expected:
            raise LoadClientError(f"expected {' or '.join(expected)}, got: {line.strip()}")
        return reply
