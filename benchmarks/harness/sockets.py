"""Realtime servers side by side, each on its core: ours, Node's Socket.IO, python-socketio on uvicorn."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.harness.cpu import Usage
from benchmarks.harness.options import CACHE, Options
from benchmarks.harness.peers import Missing, npm_packages, python_packages
from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program, answers
from benchmarks.harness.product import ROOT
from benchmarks.harness.socketio_load import LoadClientError, SocketIOLoad
from benchmarks.harness.sockets_jwt import SECRET, token
from steinmetz.realtime import Config

ASK_S = 60.0
HARNESS = Path(__file__).resolve().parent
OURS, NODE, PYTHON = "ours", "Node socket.io", "python-socketio"
OURS_RECOVERING = f"{OURS}, recovery on"
RECOVERY = "connection_state_recovery"
NODE_PACKAGES = ("socket.io@4.8.4", "jsonwebtoken@9.0.3")
PYTHON_PACKAGES = ("python-socketio==5.18.1", "pyjwt==2.10.1", "uvicorn[standard]==0.54.0")


class Running(AbstractContextManager["Running"]):
    """One server, and what it says of itself."""

    def __init__(self, program: Program, port: int) -> None:
        self.program = program
        self.port = port

    def __enter__(self) -> Running:
        self.program.__enter__()
        self.program.wait_until(answers(f"http://127.0.0.1:{self.port}/figures"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.program.__exit__(kind, error, trace)

    def ask(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=ASK_S) as response:
            answer: dict[str, Any] = json.load(response)
        return answer

    def usage(self) -> Usage:
        return self.program.usage()

    def load(self, cores: frozenset[int]) -> SocketIOLoad:
        return SocketIOLoad(self.port, cores=cores, auth={"token": token()})


Start = Callable[[], Running]


@dataclass(frozen=True, slots=True)
class Servers:
    """How to start each, and who is not to be had."""

    found: Mapping[str, Start]
    missing: list[Missing]


def servers(options: Options) -> Servers:
    """The three; peers come from their registries when first needed."""
    found: dict[str, Start] = {OURS: lambda: ours(options)}
    missing: list[Missing] = []
    if RECOVERY in {field.name for field in fields(Config)}:
        found[OURS_RECOVERING] = lambda: ours(options, recovery=True)
    else:
        missing.append(Missing(OURS_RECOVERING, f"Config has no {RECOVERY}"))
    options.say("getting Node's socket.io")
    folder = npm_packages("sockets", NODE_PACKAGES)
    node = shutil.which("node")
    if isinstance(folder, Missing):
        missing.append(Missing(NODE, folder.reason))
    elif node is None:
        missing.append(Missing(NODE, "no node on this machine"))
    else:
        found[NODE] = lambda: node_peer(node, folder, options)
        found[f"{NODE}, recovery on"] = lambda: node_peer(node, folder, options, recovery=True)
    options.say("getting python-socketio")
    python = python_packages("sockets", PYTHON_PACKAGES)
    if isinstance(python, Missing):
        missing.append(Missing(PYTHON, python.reason))
    else:
        found[PYTHON] = lambda: _python_peer(python, options)
    return Servers(found, missing)


def ours(options: Options, *, recovery: bool = False) -> Running:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.harness.sockets_server", str(port)]
    return _running("sockets-ours", command + ["recovery"] * recovery, port, options)


def node_peer(node: str, folder: Path, options: Options, *, recovery: bool = False) -> Running:
    port = free_port()
    command = [node, "--expose-gc", str(HARNESS / "sockets_peer.js"), str(port), SECRET]
    if recovery:
        command.append("recovery")
    env = {"NODE_PATH": str(folder / "node_modules")}
    return _running("sockets-node", command, port, options, env)


def _python_peer(python: Path, options: Options) -> Running:
    port = free_port()
    return _running(
        "sockets-python", [str(python), str(HARNESS / "sockets_peers.py"), str(port), SECRET], port, options
    )


def _running(
    name: str, command: list[str], port: int, options: Options, env: Mapping[str, str] | None = None
) -> Running:
    log = CACHE / "run" / name / "server.log"
    return Running(Program(command, log=log, cores=options.cores.server, cwd=ROOT, env=env), port)


def connect(load: SocketIOLoad, clients: int, *, inflight: int = 64, within_s: float = 120.0) -> None:
    """``clients`` more, all of them. Raises `LoadClientError`."""
    connected = load.connect(clients, inflight=inflight, within_s=within_s)
    if connected.failed:
        raise LoadClientError(f"{connected.failed} of {clients} clients did not connect: {connected.error}")


def most_sockets(wanted: int) -> int:
    """As many clients as one process may have open on this machine, at most ``wanted``; raises our own limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(wanted, hard - 256, os.sysconf("SC_OPEN_MAX") - 256)
