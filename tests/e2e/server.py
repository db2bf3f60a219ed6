"""The product as a process: started by its own command, asked over real sockets, ended by its id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port

READY_WITHIN_S = 40.0


@dataclass(frozen=True)
class RunningServer:
    url: str
    pid: int
    log: Path


@contextmanager
def running_server(
    folder: Path, *, database_url: str | None = None, port: int | None = None, **environment: str
) -> Iterator[RunningServer]:
    """``steinmetz serve`` on a free port of 127.0.0.1 with ``folder`` as its data folder, until the block ends.

    ``port`` is for who comes back where he was.
    """
    port, log = port or free_port(), folder / "server.log"
    settings = {
        **{name: value for name, value in os.environ.items() if not name.startswith("STEINMETZ_")},
        "STEINMETZ_DATA_DIR": str(folder),
        "STEINMETZ_HOST": "127.0.0.1",
        "STEINMETZ_PORT": str(port),
        **({"STEINMETZ_DATABASE_URL": database_url} if database_url else {}),
        **environment,
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "steinmetz", "serve", "--no-seed"], env=settings, stdout=output, stderr=output
        )
        url = f"http://127.0.0.1:{port}"
        try:
            _await_ready(url, process, log)
            yield RunningServer(url, process.pid, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
                raise AssertionError(f"the server did not end on SIGTERM:\n{log.read_text()}") from None


def _await_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"the server ended with status {process.returncode}:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=1) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"the server was not ready within {READY_WITHIN_S} s:\n{log.read_text()}")
