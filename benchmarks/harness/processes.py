"""Programs under test: started on their core, with a log, and stopped by the id they were started under."""

from __future__ import annotations

import os
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Event
from types import TracebackType

from benchmarks.harness.cpu import Usage, usage_of_tree
from benchmarks.harness.pinning import pinned
from steinmetz.clock import SystemClock

STOP_WITHIN_S = 15.0


class StartError(RuntimeError):
    """A program ended, or was not ready in time; the end of its log is in the message."""


class Program:
    """A running program and all it starts; stopped at the end of the ``with`` block."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        cores: frozenset[int],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        with pinned(cores), log.open("wb") as output:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def usage(self) -> Usage:
        return usage_of_tree(self.pid)

    def wait_until(self, ready: Callable[[], bool], within_s: float = 60.0) -> None:
        """Ask ``ready`` every 50 ms.

        Raises `StartError`.
        """
        clock, pause = SystemClock(), Event()
        deadline_s = clock.monotonic_s() + within_s
        while not ready():
            if self.process.poll() is not None:
                raise StartError(f"ended with status {self.process.returncode}; its log ends:\n{self._log_end()}")
            if clock.monotonic_s() > deadline_s:
                raise StartError(f"not ready after {within_s:g} s; its log ends:\n{self._log_end()}")
            pause.wait(0.05)

    def stop(self) -> None:
        """Ask it to end, and after 15 s end it. Its own session makes its children part of it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self.process.wait()

    def __enter__(self) -> Program:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _log_end(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


def answers(url: str) -> Callable[[], bool]:
    """Whether a GET of ``url`` is answered with a status below 500."""

    def ready() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=2) as response:
                return bool(response.status < 500)
        except urllib.error.HTTPError as error:
            return error.code < 500
        except OSError:
            return False

    return ready
