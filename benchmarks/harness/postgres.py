"""A PostgreSQL for one benchmark: ``TEST_POSTGRES_URL``, else Debian's newest, on a socket of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness.processes import Program, StartError

USER = "postgres"
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
    "autovacuum": "off",
    "max_prepared_transactions": "16",
}


@contextmanager
def postgres_server(cores: frozenset[int]) -> Iterator[str]:
    """The URL of its maintenance database; the user may create databases and extensions.

    Raises `StartError` where there is none.
    """
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
        return
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    found = sorted(versions, key=lambda path: int(path.parts[-3]))
    if not found:
        raise StartError("no PostgreSQL: install it (apt-get install postgresql), or set TEST_POSTGRES_URL")
    programs = found[-1].parent
    # The path of a socket may have 107 bytes, and PostgreSQL refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="steinmetz-bench-", dir="/tmp"))
    try:
        as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(folder, USER)
            as_user = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups"]
        make = [*as_user, str(programs / "initdb"), "-D", str(folder / "data"), "-U", USER, "-A", "trust"]
        made = subprocess.run(
            [*make, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise StartError(f"initdb fails: {made.stderr[-400:].strip()}")
        settings = [f"-c{name}={value}" for name, value in {**SETTINGS, "unix_socket_directories": folder}.items()]
        command = [*as_user, str(programs / "postgres"), "-D", str(folder / "data"), *settings]
        server = Program(command, log=folder / "log", cores=cores)
        try:
            server.wait_until((folder / ".s.PGSQL.5432").exists)
            yield f"postgresql+asyncpg://{USER}@/postgres?host={folder}"
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
