"""How soon does an operator's screen hear of an alert?

From the moment at which a rule has decided, within the server, to the stock Python client of Socket.IO having it,
while other screens listen as well. Deciding itself happens every five seconds and is not in it.
"""

from __future__ import annotations

import asyncio
import sys
import time
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.harness.options import Options
from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program
from benchmarks.harness.report import Report, at_most

SCREENS = 50


def run(options: Options) -> Report:
    report = Report()
    alerts = 200 if options.quick else 1_000
    port = free_port()
    with TemporaryDirectory() as folder:
        command = [
            sys.executable, "-m", "uvicorn", "benchmarks.harness.alarm:app",
            "--port", str(port), "--log-level", "warning",
        ]  # fmt: skip
        with Program(command, log=Path(folder, "server.log"), cores=options.cores.server) as server:
            server.wait_until(lambda: _answers(port))
            taken_ms = asyncio.run(_listen(options, port, alerts))
    taken_ms.sort()
    report.add("alert to screen, median", taken_ms[len(taken_ms) // 2], "ms")
    report.add("alert to screen, p99", taken_ms[int(len(taken_ms) * 0.99)], "ms")
    report.add("alert to screen, slowest", taken_ms[-1], "ms")
    report.targets.append(at_most("alert to screen, p99", taken_ms[int(len(taken_ms) * 0.99)], 100, "ms"))
    report.notes.append(f"{alerts:,} alerts, {SCREENS} screens in the room `ops`, one of them measured")
    return report


def _answers(port: int) -> bool:
    try:
        _raise(port)
    except OSError:
        return False
    return True


def _raise(port: int) -> tuple[str, int]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/raise", timeout=10) as answer:
        subject, _, raised_ns = answer.read().decode().partition("=")
    return subject, int(raised_ns)


async def _listen(options: Options, port: int, alerts: int) -> list[float]:
    import socketio

    heard: dict[str, int] = {}
    arrived = asyncio.Event()

    def hear(alert: dict[str, Any]) -> None:
        heard[alert["subject"]] = time.time_ns()
        arrived.set()

    screens = [socketio.AsyncClient() for _ in range(SCREENS)]
    screens[0].on("monitor:alert", hear)
    for screen in screens:
        await screen.connect(f"http://127.0.0.1:{port}", transports=["websocket"])
    taken_ms = []
    for number in range(alerts):
        if not number % 50:
            options.say(f"{number} of {alerts} alerts")
        arrived.clear()
        subject, raised_ns = await asyncio.to_thread(_raise, port)
        while subject not in heard:
            await asyncio.wait_for(arrived.wait(), 10)
            arrived.clear()
        taken_ms.append((heard[subject] - raised_ns) / 1e6)
    for screen in screens:
        await screen.disconnect()
    return taken_ms
