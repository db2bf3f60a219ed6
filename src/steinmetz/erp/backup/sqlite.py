"""The copy of an SQLite file: taken while others write, verified, and put in the place of another."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from steinmetz.clock import SystemClock
from steinmetz.erp.backup.archive import Progress
from steinmetz.erp.backup.manifest import BackupError, Contents

PAGES_AT_ONCE = 1_000
"""Between two steps a progress bar moves; nobody waits for any of them."""
BUSY_S = 60.0
_MAGIC = b"SQLite format 3\0"


@contextmanager
def _opened(path: Path, *, mode: str = "rw", timeout_s: float = BUSY_S) -> Iterator[sqlite3.Connection]:
    address = f"file:{quote(str(path.absolute()))}?mode={mode}"
    with closing(
        sqlite3.connect(address, uri=True, timeout=timeout_s, isolation_level=None, check_same_thread=False)
    ) as connection:
        yield connection


def copy_of(source: Path, target: Path, progress: Progress) -> Contents:
    """Write one consistent state of ``source`` to the new file ``target``; returns what is in the original.

    One read transaction is held throughout: writers go on, and what they commit meanwhile is not in the copy.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    def copied(status: int, remaining: int, total: int) -> None:
        progress("Copying", total - remaining, total)

    with _opened(source) as original, _opened(target) as copy:
        original.execute("BEGIN")
        contents = contents_of(original)
        original.backup(copy, pages=PAGES_AT_ONCE, progress=copied, sleep=0.05)
        original.execute("ROLLBACK")
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    return contents


def contents_of(connection: sqlite3.Connection) -> Contents:
    """Raises `BackupError` for a database that was never migrated."""
    tables = [
        name
        for _, name, kind, *_ in connection.execute("PRAGMA main.table_list")
        if kind == "table" and not name.startswith("sqlite_")
    ]
    if "alembic_version" not in tables:
        raise BackupError("the database has no tables of SteinmetZ")
    (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone() or ("nothing",)
    rows = {
        name: connection.execute('SELECT count(*) FROM "{}"'.format(name.replace('"', '""'))).fetchone()[0]
        for name in tables
    }
    return Contents(str(revision), rows)


def verified(copy: Path) -> Contents:
    """What is in ``copy``, if it is sound. Raises `BackupError`."""
    try:
        with _opened(copy, mode="ro") as connection:
            found = [line for (line,) in connection.execute("PRAGMA integrity_check(3)")]
            if found != ["ok"]:
                raise BackupError(f"the copy is not sound: {found[0]}")
            if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
                raise BackupError("the copy is not sound: a row refers to one that is not there")
            return contents_of(connection)
    except sqlite3.DatabaseError as error:
        raise BackupError(f"the copy is not sound: {error}") from None


def put_in_place(copy: Path, target: Path, failpoint: Callable[[str], None] = lambda reached: None) -> Path | None:
    """Make ``copy`` the database ``target``; returns where the former one is kept, None if there was none.

    At every instant ``target`` is one of the two, whole. Raises `BackupError` if somebody has it open.
    """
    kept: Path | None = None
    if target.exists():
        is_readable = _log_written_back(target)
        kept = kept_name(target)
        os.link(target, kept)
        failpoint("kept")
        for suffix in ("-wal", "-shm"):
            log = target.with_name(target.name + suffix)
            if log.exists():
                if not is_readable and suffix == "-wal":
                    os.link(log, kept.with_name(kept.name + suffix))
                log.unlink()
    else:
        for suffix in ("-wal", "-shm"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
    failpoint("cleared")
    copy.replace(target)
    _sync_folder(target.parent)
    failpoint("replaced")
    return kept


def put_into(copy: Path, target: Path, give_up: Callable[[], None]) -> Path:
    """Make the content of ``copy`` that of ``target`` in one transaction, for a database that others have open.

    Returns where the former content is kept. ``give_up`` is called while others hold the lock, and may raise.
    """
    kept = kept_name(target)
    copy_of(target, kept, lambda label, done, total: None)
    with _opened(copy, mode="ro") as source, _opened(target) as live:
        source.backup(live, pages=-1, progress=lambda status, remaining, total: give_up(), sleep=0.05)
    return kept


def kept_name(target: Path) -> Path:
    moment = SystemClock().now()
    name = f"{target.name}.before-restore-{moment:%Y%m%dT%H%M%SZ}"
    number = 1
    while (kept := target.with_name(name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return kept


def _log_written_back(target: Path) -> bool:
    """Fold the write-ahead log into the file, for which nobody else may have it open; False if it is broken."""
    with target.open("rb") as file:
        if file.read(len(_MAGIC)) not in {_MAGIC, b""}:
            return False  # not even opened: SQLite would throw its log away
    try:
        with _opened(target, timeout_s=0.5) as connection:
            (mode,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            mode = "wal"
        else:
            return False
    except sqlite3.DatabaseError:
        return False
    if mode == "wal":
        raise BackupError(f"another program has {target} open: stop it first, or say --even-in-use")
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
