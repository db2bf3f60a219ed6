"""A Redis for one benchmark, on a free port and without files."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program


@contextmanager
def redis_server(program: Path, folder: Path, cores: frozenset[int]) -> Iterator[tuple[Program, str]]:
    """The process and its URL, once it answers."""
    port = free_port()
    command = [str(program), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with Program(command, log=folder / "redis.log", cores=cores) as redis:
        redis.wait_until(lambda: listens(port))
        yield redis, f"redis://127.0.0.1:{port}/0"


def listens(port: int) -> bool:
    """Whether somebody takes connections at ``port`` of this machine."""
    with socket.socket() as door:
        door.settimeout(1)
        return door.connect_ex(("127.0.0.1", port)) == 0
