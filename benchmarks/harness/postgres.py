"""A PostgreSQL of its own for a benchmark: Debian's newest, on a socket in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any

from benchmarks.harness.peers import Missing
from benchmarks.harness.pinning import pinned

START_WITHIN_S = 20.0


@contextmanager
def postgres(cores: frozenset[int]) -> Iterator[str | Missing]:
    """The URL of a server's maintenance database for asyncpg, stopped at the end of the block.

    ``TEST_POSTGRES_URL`` names one that is there already.
    """
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
        return
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parts[-2]))
    as_user = _other_user()
    if not programs or as_user is None:
        yield Missing("PostgreSQL", "not installed: apt-get install postgresql, or name one in TEST_POSTGRES_URL")
        return
    folder = Path(tempfile.mkdtemp(prefix="steinmetz-bench-", dir="/tmp"))  # a socket's path is short
    try:
        if as_user:
            os.chown(folder, as_user["user"], as_user["group"])
        made = subprocess.run(
            [programs[-1] / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "--no-sync"],
            capture_output=True,
            text=True,
            check=False,
            **as_user,
        )
        if made.returncode:
            yield Missing("PostgreSQL", f"initdb fails: {made.stderr.strip()[-200:]}")
            return
        command = [
            str(programs[-1] / "postgres"), "-D", str(folder / "data"), "-c", "listen_addresses=", "-c", "fsync=off",
            "-c", f"unix_socket_directories={folder}",
        ]  # fmt: skip
        with pinned(cores), (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **as_user)
        try:
            pause, waited_s = Event(), 0.0
            while not (folder / ".s.PGSQL.5432").exists() and waited_s < START_WITHIN_S:
                pause.wait(0.05)
                waited_s += 0.05
            yield f"postgresql+asyncpg://postgres@/postgres?host={folder}"
        finally:
            server.terminate()
            server.wait(10)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _other_user() -> dict[str, Any] | None:
    """PostgreSQL refuses to run as root; another user runs it then."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    return None
