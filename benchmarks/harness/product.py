"""The product as a benchmark sees it: a freshly seeded company, a server on its own core, a probe inside."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from benchmarks.harness.options import CACHE
from benchmarks.harness.ports import free_port
from benchmarks.harness.processes import Program, StartError, answers
from steinmetz.clock import SystemClock

ROOT = Path(__file__).resolve().parent.parent.parent
SEED_WITHIN_S = 180
PROBE_WITHIN_S = 10.0
SURROUNDINGS = {
    "STEINMETZ_LOG_LEVEL": "warning",
    "STEINMETZ_CONNECTIONS_PER_USER": "20000",
    "PYTHONDONTWRITEBYTECODE": "",
}
"""Ten thousand screens are opened by one demo user. Kept bytecode saves two seconds a start."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What the probe has counted since the start of the server."""

    statements: Mapping[str, int] = field(default_factory=dict)
    commits_ns: tuple[int, ...] = ()
    """CLOCK_MONOTONIC at the end of each commit."""

    def since(self, earlier: Probed) -> Probed:
        """The difference; commits are those after the last one of ``earlier``."""
        last_ns = earlier.commits_ns[-1] if earlier.commits_ns else 0
        return Probed(
            {name: count - earlier.statements.get(name, 0) for name, count in self.statements.items()},
            tuple(stamp for stamp in self.commits_ns if stamp > last_ns),
        )


class Product:
    """A running server. Counting in it costs a statement about a microsecond, on every side of a comparison."""

    def __init__(self, program: Program, port: int, probe_file: Path) -> None:
        self.program = program
        self.port = port
        self._probe_file = probe_file

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def probed(self) -> Probed:
        """Ask the probe, which must be there. Raises `StartError` when it does not answer."""
        self._probe_file.unlink(missing_ok=True)
        os.kill(int(self._probe_file.with_suffix(".pid").read_text()), signal.SIGUSR1)
        clock, pause = SystemClock(), Event()
        deadline_s = clock.monotonic_s() + PROBE_WITHIN_S
        while not self._probe_file.exists():
            if clock.monotonic_s() > deadline_s:
                raise StartError("the probe in the server does not answer")
            pause.wait(0.005)
        found = json.loads(self._probe_file.read_text())
        return Probed(found["statements"], tuple(found["commits"]))


def seeded_company(scale: str = "demo") -> Path:
    """A data folder with a freshly seeded company; made once for a state of the code and a day.

    Raises `StartError` when the product cannot make it.
    """
    folder = CACHE / "company" / f"{scale}-{_state_of_the_code()}-{SystemClock().now():%Y-%m-%d}"
    if folder.exists():
        return folder
    half = folder.with_name(folder.name + ".part")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    for command in (["migrate"], ["seed", "--scale", scale]):
        done = subprocess.run(
            [sys.executable, "-m", "steinmetz", *command],
            cwd=ROOT,
            env={**os.environ, **SURROUNDINGS, "STEINMETZ_DATA_DIR": str(half)},
            capture_output=True,
            text=True,
            check=False,
            timeout=SEED_WITHIN_S,
        )
        if done.returncode:
            last = (done.stderr or done.stdout)[-1500:]
            raise StartError(f"steinmetz {' '.join(command)} ended with status {done.returncode}:\n{last}")
    half.rename(folder)
    for outdated in folder.parent.glob(f"{scale}-*"):
        if outdated != folder:
            shutil.rmtree(outdated)
    return folder


def _state_of_the_code() -> str:
    """A digest of what a seeded company depends on."""
    source = ROOT / "src" / "steinmetz" / "erp"
    digest = hashlib.sha256()
    for part in ("seed", "migrations", "modules"):
        for file in sorted((source / part).rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def served(
    company: Path,
    *,
    name: str,
    cores: frozenset[int],
    settings: Mapping[str, str] | None = None,
    is_probed: bool = True,
) -> Iterator[Product]:
    """The product on a copy of ``company``, stopped at the end of the block. Raises `StartError`.

    Whoever measures its memory wants no probe in it.
    """
    raise_file_limit()
    folder = CACHE / "run" / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(company, folder / "data")
    port, probe_file = free_port(), folder / "probe.json"
    program_of: list[str | Path] = ["benchmarks.harness.probe", probe_file] if is_probed else ["steinmetz"]
    command = [sys.executable, "-m", *program_of, "serve", "--port", str(port), "--no-seed"]
    env = {**SURROUNDINGS, "STEINMETZ_DATA_DIR": str(folder / "data"), **(settings or {})}
    with Program(command, log=folder / "server.log", cores=cores, cwd=ROOT, env=env) as program:
        program.wait_until(answers(f"http://127.0.0.1:{port}/healthz"))
        yield Product(program, port, probe_file)


def raise_file_limit() -> None:
    """As many open files as this user may have, for ten thousand sockets; children inherit it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
