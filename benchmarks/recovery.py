"""What does it cost to keep what clients may have missed, and to tell it to one that comes back, against Node?

120,000 emissions to 1,000 rooms are kept; clients in two rooms each come back, who have missed a part of them.
Ours is the whole of `Recovery.restore` (pid, sessions, log, replay) and the frames of what is sent; Node's is
`restoreSession` of its in-memory adapter, which looks at every packet it keeps. CPU time.

Then stock clients are torn away from two servers over one Redis and come back to either: half-open, before they
have heard anything, with a pid shown twice, with a server killed (kill -9) or Redis started anew in between.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.harness.confidence import median
from benchmarks.harness.options import Options
from benchmarks.harness.peers import Missing, npm_packages
from benchmarks.harness.report import Report, at_least, at_most
from steinmetz.realtime import Config, ConnectionStateRecovery, Handshake, Server, Socket
from steinmetz.realtime.engineio.packet import Outgoing
from steinmetz.realtime.recovery.memory import MemoryLog
from steinmetz.realtime.server.reasons import Reason
from steinmetz.realtime.server.recovery import Claim, Recovery
from steinmetz.realtime.testing import connect

KEPT, ROOMS = 120_000, 1_000
BEHIND = (0, 1_000, 60_000)
"""How many emissions ago the clients heard something for the last time."""
TEXT = "x" * 100
RETURNS, QUICK_RETURNS = 1_000, 60
SCRIPT = Path(__file__).parent / "load" / "recovery_node.mjs"


def run(options: Options) -> Report:
    report = Report()
    returns, rounds = (100, 3) if options.quick else (500, 7)
    # First, in a process that keeps nothing yet: the garbage collector walks whatever the other parts have left.
    on, off = asyncio.run(_emitting(kept=True)), asyncio.run(_emitting(kept=False))
    options.say("installing Node's socket.io")
    folder = npm_packages("recovery", ["socket.io@4.8.4"])
    for behind in BEHIND:
        options.say(f"{behind:,} emissions behind")
        ours = asyncio.run(_ours(returns, rounds, behind))
        name = f"{behind:,} behind"
        us = median(ours["restore_us"])
        heard = ours["heard"][0]
        report.add(f"{name}: ours", us, f"us of CPU a return; {heard:.0f} events are told")
        # What is told costs what it costs to send; the 200 us are for finding it among all that is kept.
        report.targets.append(at_most(f"{name}: a return", us, 200 + 3 * heard, "us"))
        if isinstance(folder, Missing):
            continue
        node = _node(folder, returns // 10, rounds, behind)
        theirs = median(node["restore_us"])
        report.add(f"{name}: Node's adapter", theirs, f"us of CPU a return; {node['heard'][0]:.0f} events")
        report.targets.append(at_least(f"{name}: Node's cost by ours", theirs / us, 5))
        if behind == BEHIND[-1]:
            report.add("an emission to nobody: Node's adapter", node["emit_us"][0], "us of CPU")
            report.add(f"{KEPT:,} kept: Node's adapter", node["rss_mb"][0], "MB of RSS")
    if isinstance(folder, Missing):
        report.notes.append(f"without {folder.name}: {folder.reason}")
    report.add("an emission to nobody: ours", on[0], f"us of CPU, {off[0]:.2f} without recovery")
    report.add(f"{KEPT:,} kept: ours", on[1], "MB by our own count, which is what `max_log_bytes` bounds")
    report.targets.append(at_most("an emission costs more by", on[0] - off[0], 15, "us"))
    _chaos(report, options)
    return report


def _chaos(report: Report, options: Options) -> None:
    returns = QUICK_RETURNS if options.quick else RETURNS
    options.say(f"{returns:,} returns over two servers")
    words = [sys.executable, "-m", "tests.conformance.realtime.cluster_chaos", str(returns)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=900)
    if not done.stdout:
        report.notes.append(f"no chaos: {done.stderr.strip().splitlines()[-1:]}")
        return
    told = json.loads(done.stdout.splitlines()[-1])
    report.add("chaos: recovered", told["recovered"], f"and {told['anew']} told that they are not; {told['ways']}")
    report.add("chaos: events heard", told["heard"], "")
    report.targets.append(at_most("chaos: lost or doubled for the recovered", len(told["problems"]), 0, ""))
    report.notes.append(f"why they were not: {told['outcomes']}")


def _server(*, kept: bool = True) -> Server:
    recovery = ConnectionStateRecovery(max_log_bytes=1_000_000_000)
    return Server(Config(require_auth=False, connection_state_recovery=recovery if kept else None))


async def _ours(returns: int, rounds: int, behind: int) -> dict[str, list[float]]:
    io = _server()
    async with connect(io) as client:
        recovery = io.of("/").recovery
        assert recovery is not None
        [socket] = io.of("/").sockets.values()
        samples = [await _round(io, recovery, socket, returns, behind) for _ in range(rounds)]
        assert client.id == socket.id
    await io.shutdown()
    return {"restore_us": [us for us, _ in samples], "heard": [heard for _, heard in samples]}


async def _round(
    io: Server, recovery: Recovery, template: Socket, returns: int, behind: int
) -> tuple[float, float]:
    """Clients come, are torn away, and come back one after the other."""
    namespace, log = io.of("/"), recovery.log
    assert isinstance(log, MemoryLog)
    for n in range(returns):
        socket = Socket(f"s{n}", namespace, template.client, template.handshake)
        namespace.admit(socket)
        socket.join(f"room:{n % ROOMS}", f"room:{(n + 7) % ROOMS}")
    for n in range(KEPT):
        io.to(f"room:{n % ROOMS}").emit("n", {"n": n, "text": TEXT})
    for n in range(returns):
        namespace.forget(namespace.sockets[f"s{n}"], Reason.TRANSPORT_CLOSE)
    offset = log.epoch.offset(log.newest - behind)
    heard = 0
    started = time.process_time()
    for n in range(returns):
        back = Socket(io.new_id(), namespace, template.client, Handshake(template.client.request, {}))
        restored = await recovery.restore(back, Claim(log.epoch.pid(f"s{n}"), offset))
        assert restored is not None
        for entry in restored.replay.heard:
            heard += bool(Outgoing(*entry.packets).frames)
    return (time.process_time() - started) / returns * 1e6, heard / returns


async def _emitting(*, kept: bool) -> tuple[float, float]:
    io = _server(kept=kept)
    await io.start()
    started = time.process_time()
    for n in range(KEPT):
        io.to(f"room:{n % ROOMS}").emit("n", {"n": n, "text": TEXT})
    us = (time.process_time() - started) / KEPT * 1e6
    recovery = io.of("/").recovery
    size = recovery.log.bytes if recovery is not None and isinstance(recovery.log, MemoryLog) else 0
    await io.shutdown()
    return us, size / 1e6


def _node(folder: Path, returns: int, rounds: int, behind: int) -> dict[str, list[float]]:
    node = shutil.which("node")
    assert node is not None
    words = [node, str(SCRIPT), *(str(number) for number in (KEPT, ROOMS, max(returns, 10), rounds, behind))]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True, timeout=300)
    found = json.loads(done.stdout)
    return {name: value if isinstance(value, list) else [value] for name, value in found.items()}
