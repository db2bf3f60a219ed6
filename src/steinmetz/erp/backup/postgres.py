"""The copy of a PostgreSQL database: dumped and counted in one snapshot, restored in one transaction.

`pg_dump` and `pg_restore` do what they do best, writing and reading a dump. What comes out of a dump is played
through one connection of our own, so that the old content goes, the new one comes and is counted in a single
transaction: whatever ends it early, a kill or a full disk, leaves the database as it was.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import URL

from steinmetz.erp.backup.archive import Progress
from steinmetz.erp.backup.manifest import BackupError, Contents, refuse_what_differs
from steinmetz.erp.backup.programs import program

CHUNK_BYTES = 1 << 18
LOCK_WAIT = "30s"
_COPY = re.compile(r'COPY (?:"?public"?)\.("(?:[^"]|"")+"|\w+) \((.*)\) FROM stdin;')
_WORD = re.compile(r'"((?:[^"]|"")+)"|(\w+)')


@asynccontextmanager
async def connected(url: URL) -> AsyncIterator[Any]:
    import asyncpg

    try:
        connection = await asyncpg.connect(
            host=_host(url),
            port=int(url.port or url.query.get("port") or 5432),  # type: ignore[arg-type]  # one port
            user=url.username,
            password=url.password,
            database=url.database,
        )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise BackupError(f"the database does not answer ({type(error).__name__})") from None
    try:
        yield connection
    finally:
        await connection.close(timeout=10)


def _host(url: URL) -> str | None:
    given = url.query.get("host") or url.host
    return given if given is None or isinstance(given, str) else given[0]


def environment(url: URL) -> dict[str, str]:
    """Where PostgreSQL's programs find the server; a password is in no command line that others can read."""
    told = {
        "PGHOST": _host(url),
        "PGPORT": str(url.port or url.query.get("port") or 5432),
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGCLIENTENCODING": "UTF8",
    }
    return {**os.environ, **{name: value for name, value in told.items() if value}}


async def copy_of(url: URL, target: Path, progress: Progress) -> tuple[Contents, str]:
    """Dump the database at ``url`` to the new file ``target`` while others write; what is in it, and the server.

    Raises `BackupError`.
    """
    async with connected(url) as connection:
        major = connection.get_server_version().major
        pg_dump = program("pg_dump", major)
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            contents = await contents_of(connection)
            size = await connection.fetchval("SELECT pg_database_size(current_database())")
            options = ("--format=custom", "--no-owner", "--no-privileges", "--schema=public", "--no-password")
            with _running(pg_dump, *options, f"--snapshot={snapshot}", f"--file={target}", url=url) as dumping:
                while dumping.process.poll() is None:
                    progress("Copying", min(os.path.getsize(target), size), size)  # noqa: ASYNC240 - one look
                    await asyncio.sleep(0.05)
                dumping.check("pg_dump failed")
            progress("Copying", size, size)
        return contents, f"PostgreSQL {connection.get_server_version().major}"


async def contents_of(connection: Any) -> Contents:
    """Raises `BackupError` for a database that was never migrated."""
    names = [
        record["relname"]
        for record in await connection.fetch(
            "SELECT relname FROM pg_catalog.pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"
        )
    ]
    if "alembic_version" not in names:
        raise BackupError("the database has no tables of SteinmetZ")
    revision = await connection.fetchval("SELECT version_num FROM public.alembic_version")
    rows = {name: await connection.fetchval(f"SELECT count(*) FROM public.{quoted(name)}") for name in names}
    return Contents(str(revision), rows)


def quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


async def verified(url: URL, copy: Path, expected: Contents, progress: Progress) -> None:
    """Read the dump to its end: it lists its tables, and each has the rows that were counted.

    Raises `BackupError`.
    """
    major = await _major(url)
    pg_restore = program("pg_restore", major)
    with _running(pg_restore, "--list", str(copy)) as listing:
        listed = b""
        while chunk := await listing.read():
            listed += chunk
        listing.check("the copy is not sound")
    tables = set(re.findall(r"^\d+; .* TABLE DATA public (\S+) ", listed.decode(), re.MULTILINE))
    if tables != expected.rows.keys():
        raise BackupError("the copy is not sound: it does not list all tables")
    rows = dict.fromkeys(expected.rows, 0)
    total = sum(expected.rows.values())
    async with _played(pg_restore, copy, "data") as steps:
        async for step in steps:
            if isinstance(step, Block):
                async for lines in step.lines:
                    rows[step.table] = rows.get(step.table, 0) + lines.count(b"\n")
                    progress("Verifying", min(sum(rows.values()), total), total)
    refuse_what_differs(Contents(expected.revision, rows), expected, "the copy")


async def _major(url: URL) -> int:
    async with connected(url) as connection:
        major: int = connection.get_server_version().major
        return major


async def restore(
    url: URL,
    copy: Path,
    expected: Contents,
    progress: Progress,
    *,
    replace: bool,
    even_in_use: bool,
    around_commit: Callable[[], AbstractContextManager[None]],
    failpoint: Callable[[str], None] = lambda reached: None,
) -> None:
    """Make the content of the dump ``copy`` that of the database at ``url``, in one transaction.

    Raises `BackupError`.
    """
    import asyncpg

    async with connected(url) as connection:
        pg_restore = program("pg_restore", connection.get_server_version().major)
        if not even_in_use and (others := await connection.fetchval(_OTHERS)):
            raise BackupError(
                f"{others} other connections use the database: stop the server, or say --even-in-use"
            )
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
            await connection.execute("SELECT pg_advisory_xact_lock(hashtext('steinmetz.migrations'))")
            if await connection.fetchval(_IS_FILLED):
                if not replace:
                    raise BackupError("the database is not empty: name an empty one, or say --replace")
                await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
                await connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
            failpoint("emptied")
            await _play(connection, pg_restore, copy, sum(expected.rows.values()), progress, failpoint)
            refuse_what_differs(await contents_of(connection), expected, "what was restored")
            failpoint("restored")
        except BaseException as error:
            if not connection.is_closed():
                await transaction.rollback()
            if isinstance(error, asyncpg.PostgresError):
                raise BackupError(
                    f"nothing was restored, the database refuses: {_first_line(str(error))}"
                ) from None
            raise
        with around_commit():
            await transaction.commit()


_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
_IS_FILLED = "SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = 'public'::regnamespace)"


async def _play(
    connection: Any,
    pg_restore: Path,
    copy: Path,
    total: int,
    progress: Progress,
    failpoint: Callable[[str], None],
) -> None:
    done = 0

    async def counted(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        nonlocal done
        async for some in lines:
            done += some.count(b"\n")
            progress("Restoring", min(done, total), total)
            yield some

    for section in ("pre-data", "data", "post-data"):
        statements: list[str] = []
        async with _played(pg_restore, copy, section) as steps:
            async for step in steps:
                if isinstance(step, str):
                    statements.append(step)
                    continue
                await _execute(connection, statements)
                statements.clear()
                failpoint(step.table)
                await connection.copy_to_table(
                    step.table, schema_name="public", columns=step.columns, source=counted(step.lines)
                )
        await _execute(connection, statements)
        failpoint(section)


async def _execute(connection: Any, lines: list[str]) -> None:
    await connection.execute("".join([*lines, ";SELECT"]))  # the driver takes no script of comments alone


# What pg_restore writes


@dataclass(frozen=True, slots=True)
class Block:
    """The rows of one table, as COPY takes them; ``lines`` is to be read to its end."""

    table: str
    columns: list[str]
    lines: AsyncIterator[bytes]


@asynccontextmanager
async def _played(pg_restore: Path, copy: Path, section: str) -> AsyncIterator[AsyncIterator[str | Block]]:
    """The steps of one section of a dump: lines of SQL, and blocks of rows. Raises `BackupError`."""
    options = ("--no-owner", "--no-privileges", f"--section={section}", "--file=-")
    with _running(pg_restore, *options, str(copy)) as restoring:
        async with aclosing(steps_of(restoring.read)) as steps:
            yield steps
        restoring.check("the copy is not sound")


async def steps_of(read: Callable[[], Awaitable[bytes]]) -> AsyncGenerator[str | Block, None]:
    """Take a plain dump apart. A chunk of rows ends with a whole line; psql's own commands are left out."""
    buffer = bytearray()

    async def more() -> bool:
        received = await read()
        buffer.extend(received)
        return bool(received)

    async def rows() -> AsyncIterator[bytes]:
        while True:
            if buffer.startswith(b"\\.\n"):
                del buffer[:3]
                return
            end = buffer.find(b"\n\\.\n")
            # Without an end in sight, the last whole line stays: it may be the one before the end.
            whole = end + 1 if end >= 0 else buffer.rfind(b"\n", 0, buffer.rfind(b"\n")) + 1
            if whole > 0:
                lines = bytes(buffer[:whole])
                del buffer[:whole]
                yield lines
            elif not await more():
                raise BackupError("the copy is not sound: it ends within a table")

    while True:
        end = buffer.find(b"\n")
        if end < 0:
            if not await more():
                break
            continue
        line = buffer[: end + 1].decode()
        del buffer[: end + 1]
        if (block := _COPY.fullmatch(line.strip())) is not None:
            table = block[1][1:-1].replace('""', '"') if block[1].startswith('"') else block[1]
            columns = [word[0].replace('""', '"') or word[1] for word in _WORD.findall(block[2])]
            yield Block(table, columns, rows())
        elif not line.startswith("\\") and line.strip() != "CREATE SCHEMA public;":
            yield line
    if buffer:
        raise BackupError("the copy is not sound: it ends within a line")


class _Program:
    """One of PostgreSQL's programs at work: what it writes is read in a thread, what it complains of is kept."""

    def __init__(self, process: subprocess.Popen[bytes], complaints: IO[bytes]) -> None:
        self.process = process
        self._complaints = complaints

    async def read(self) -> bytes:
        """The next piece of what it writes; empty at the end."""
        pipe: Any = self.process.stdout
        received: bytes = await asyncio.to_thread(pipe.read1, CHUNK_BYTES)
        return received

    def check(self, trouble: str) -> None:
        """Wait for its end. Raises `BackupError` that begins with ``trouble`` if it failed."""
        if self.process.wait() != 0:
            self._complaints.seek(0)
            raise BackupError(f"{trouble}: {_first_line(self._complaints.read(10_000))}")


@contextmanager
def _running(path: Path, *options: str, url: URL | None = None) -> Iterator[_Program]:
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            [path, *options],
            env=environment(url) if url is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
        ) as process,
    ):
        try:
            yield _Program(process, complaints)
        finally:
            process.kill()


def _first_line(said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return next((line for line in text.splitlines() if line.strip()), "without saying why")[:300]
