"""Ports of 127.0.0.1, for servers that must be told theirs before they start."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from itertools import cycle

_WORKERS = 16
_PORTS = range(20_000, 32_000)
"""Below those that the system gives to connections (from 32768 on): of these there are thousands in a run, and one
of them may take the port while its server is starting."""


def _own() -> Iterator[int]:
    """No other worker of the run has these; another run begins elsewhere."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    ports = [port for port in _PORTS if port % _WORKERS == worker]
    begin = random.Random(os.getpid()).randrange(len(ports))
    return cycle(ports[begin:] + ports[:begin])


_ports = _own()


def free_port() -> int:
    """A port that nobody has, and that was not told here for a long time."""
    for port in _ports:
        with socket.socket() as door:
            try:
                door.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("there is always a next one")
