"""A demo life beside the server: ``steinmetz traffic`` in a process of its own, which ends with the server."""

from __future__ import annotations

import asyncio
import sys

import structlog

log = structlog.get_logger("steinmetz.traffic")

CLERKS = 4
RATE = 0.5
"""Requests a second of one clerk: something moves on every screen now and then, and the machine stays idle."""
DAY_S = 24 * 3600
GOING_HOME_S = 5.0


class Clerks:
    """A few simulated clerks at one server, until `go_home`. Should the server vanish, they notice and go, too."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def come(self, url: str) -> None:
        """Begin to work at ``url``."""
        words = ["traffic", "--url", url, "--clerks", str(CLERKS), "--rate", str(RATE), "--duration", str(DAY_S)]
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "steinmetz", *words, "--json", "--until-eof"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        log.info("Simulated clerks are at work", clerks=CLERKS, pid=self._process.pid)

    async def go_home(self) -> None:
        """End the process, however busy it is. Idempotent."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(GOING_HOME_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
