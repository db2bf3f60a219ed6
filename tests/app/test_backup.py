"""A backup made while people write holds books that balance; a bad one never reaches the data."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from sqlalchemy import Connection, text
from typer.testing import CliRunner

from steinmetz.cli.main import app as command
from steinmetz.clock import SystemClock
from steinmetz.erp import migrations
from steinmetz.erp.backup import Archive, BackupError, postgres, sqlite
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.migrations.transaction import in_transaction
from steinmetz.erp.seed import TINY, seed
from steinmetz.erp.settings import load_settings

pytestmark = pytest.mark.timeout(120)

Run = Callable[..., Result]
Edit = Callable[[dict[str, bytes]], None]


@pytest.fixture(scope="session")
def company_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded SQLite file, made once; to be copied."""
    path = tmp_path_factory.mktemp("company") / "steinmetz.db"
    settle(f"sqlite:///{path}")
    return path


def settle(url: str) -> None:
    migrations.upgrade(url)
    seed(url, scale=TINY, today=company_date(SystemClock().now()), password_hasher=lambda password: "x")


@pytest.fixture
def url(request: pytest.FixtureRequest, engine_name: str, tmp_path: Path) -> str:
    """A company's database; the commands find it in the environment."""
    if engine_name == "postgresql":
        address: str = request.getfixturevalue("fresh_postgres_url")
        settle(address)
        return address
    (tmp_path / "data").mkdir(mode=0o700)
    path = tmp_path / "data" / "steinmetz.db"
    shutil.copy(request.getfixturevalue("company_file"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def run(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in list(os.environ):
        if name.startswith("STEINMETZ_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, at: str = url) -> Result:
        monkeypatch.setenv("STEINMETZ_DATA_DIR", str(tmp_path / "data"))
        monkeypatch.setenv("STEINMETZ_DATABASE_URL", at)
        return CliRunner().invoke(command, arguments)

    return run


def refusal(done: Result) -> str:
    """The one line in which a command has refused."""
    assert done.exit_code == 2, done.output
    lines = [line for line in done.stderr.splitlines() if line.startswith("steinmetz: ")]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


def content(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""

    def read(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
        from steinmetz.erp.migrations.schema import schema

        return {
            table: sorted(tuple(map(str, row)) for row in connection.execute(text(f"SELECT * FROM {table}")))
            for table in schema().tables
        }

    return in_transaction(url, read)


def imbalance(url: str) -> list[Any]:
    """Journal entries whose lines do not add up to zero."""
    query = "SELECT entry_id FROM transactions GROUP BY entry_id HAVING sum(amount_cents) <> 0"
    return in_transaction(url, lambda connection: list(connection.execute(text(query))))


def change(url: str) -> None:
    in_transaction(url, lambda connection: connection.execute(text("UPDATE customers SET name = 'Niemand'")))


@pytest.mark.both_databases
def test_data_that_was_changed_is_back_after_a_restore(url: str, run: Run, tmp_path: Path) -> None:
    before = content(url)
    made = run("backup", "a.backup", "--json")
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    assert told["schema"] == migrations.head()
    assert told["rows"]["customers"] == len(before["customers"])
    assert (tmp_path / "a.backup").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    change(url)
    assert content(url) != before
    restored = run("restore", "a.backup", "--replace", "--json")
    assert restored.exit_code == 0, restored.output
    assert content(url) == before
    kept = json.loads(restored.stdout)["kept"]
    if kept is not None:
        assert "Niemand" in str(content(f"sqlite:///{kept}")["customers"])
        assert sorted(path.name for path in Path(kept).parent.iterdir() if "doorbells" not in path.name) == sorted(
            ["steinmetz.db", Path(kept).name]
        )


@pytest.mark.both_databases
def test_a_backup_made_while_people_write_is_one_moment_in_which_the_books_balance(
    url: str, run: Run, request: pytest.FixtureRequest, engine_name: str, tmp_path: Path
) -> None:
    stop = threading.Event()
    written = [0, 0, 0]

    def post(number: int) -> None:
        def entry(connection: Connection) -> None:
            one = "SELECT id FROM transactions ORDER BY id LIMIT 1 OFFSET :n"
            identity = connection.execute(text(one), {"n": number}).scalar_one()
            for sign in (1, -1):
                connection.execute(
                    text(
                        "INSERT INTO transactions (entry_id, account_id, date, amount_cents)"
                        " SELECT entry_id, account_id, date, :cents FROM transactions WHERE id = :i"
                    ),
                    {"cents": sign * (100 + number), "i": identity},
                )

        while not stop.is_set():
            in_transaction(url, entry)
            written[number] += 1

    writers = [threading.Thread(target=post, args=(number,)) for number in range(len(written))]
    for writer in writers:
        writer.start()
    try:
        while min(written) < 2:
            stop.wait(0.01)
        before = sum(written)
        made = run("backup", "busy.backup", "--json")
        after = sum(written)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert made.exit_code == 0, made.output
    assert after > before, "nobody wrote meanwhile"

    other = f"sqlite:///{tmp_path}/other.db"
    if engine_name == "postgresql":
        other = request.getfixturevalue("empty_postgres_url")
    restored = run("restore", "busy.backup", at=other)
    assert restored.exit_code == 0, restored.output
    assert imbalance(other) == imbalance(url) == []
    rows = {name: len(found) for name, found in content(other).items()}
    told = json.loads(made.stdout)["rows"]
    assert {name: told[name] for name in rows} == rows
    assert rows["transactions"] <= len(content(url)["transactions"])


@pytest.mark.both_databases
def test_what_is_wrong_with_the_place_is_one_line(url: str, run: Run, tmp_path: Path) -> None:
    assert run("backup", "a.backup").exit_code == 0
    assert "--force" in refusal(run("backup", "a.backup"))
    assert run("backup", "a.backup", "--force").exit_code == 0
    assert "folder that exists" in refusal(run("backup", "nowhere/a.backup"))
    assert "folder that exists" in refusal(run("backup", "."))
    assert "cannot be opened" in refusal(run("restore", "b.backup"))
    assert "cannot be" in refusal(run("restore", "."))


def test_no_database_no_backup(run: Run, tmp_path: Path) -> None:
    assert "there is no database" in refusal(run("backup", "a.backup", at=f"sqlite:///{tmp_path}/none.db"))
    (tmp_path / "bad.db").write_bytes(b"no database at all" * 100)
    assert "cannot be read" in refusal(run("backup", "a.backup", at=f"sqlite:///{tmp_path}/bad.db"))
    sqlite3.connect(tmp_path / "empty.db").execute("CREATE TABLE t (x)").connection.close()
    assert "no tables of SteinmetZ" in refusal(run("backup", "a.backup", at=f"sqlite:///{tmp_path}/empty.db"))
    assert not (tmp_path / "a.backup").exists()
    silent = refusal(run("backup", "a.backup", at="postgresql://u:geheim@127.0.0.1:1/x"))
    assert "does not answer" in silent
    assert "geheim" not in silent


def test_a_damaged_database_is_not_passed_off_as_a_backup(url: str, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "data" / "steinmetz.db"
    in_transaction(
        url, lambda connection: connection.execute(text("DELETE FROM journal_entries"))
    )  # keys are off here
    assert "refers to one that is not there" in refusal(run("backup", "a.backup"))
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xa5" * 40_000)
    assert refusal(run("backup", "a.backup"))
    assert not (tmp_path / "a.backup").exists()


# What is wrong with a backup


@pytest.fixture(scope="module")
def good_backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small backup: a migrated database without rows."""
    folder = tmp_path_factory.mktemp("good")
    migrations.upgrade(f"sqlite:///{folder}/data.db")
    from steinmetz.cli.backup import back_up

    settings = load_settings(data_dir=folder, database_url=f"sqlite:///{folder}/data.db")
    back_up(settings, folder / "good.backup", lambda label, done, total: None, force=False)
    return folder / "good.backup"


def sealed(path: Path) -> None:
    """Seal what was tampered with as `write_archive` would."""
    import hashlib

    whole = path.read_bytes()[:-64]
    path.write_bytes(whole + hashlib.sha256(whole).hexdigest().encode())


def rewritten(good: Path, path: Path, edit: Edit, compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(good) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    edit(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = b"steinmetz sha256 " + b"0" * 64
        for name, data in members.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if name == "manifest.json" else compression)
    sealed(path)


def manifest(**changes: Any) -> Edit:
    def edit(members: dict[str, bytes]) -> None:
        told = json.loads(members["manifest.json"])
        members["manifest.json"] = json.dumps({**told, **changes}).encode()

    return edit


def renamed(name: str) -> Edit:
    def edit(members: dict[str, bytes]) -> None:
        members[name] = members.pop("database.sqlite3")

    return edit


def another_member(members: dict[str, bytes]) -> None:
    members["../../evil"] = b"x"


def no_manifest(members: dict[str, bytes]) -> None:
    del members["manifest.json"]


def a_bomb(members: dict[str, bytes]) -> None:
    members["database.sqlite3"] = b"\0" * 50_000_000


def a_long_manifest(members: dict[str, bytes]) -> None:
    members["manifest.json"] += b" " * 1_000_001


def other_copy(members: dict[str, bytes]) -> None:
    data = bytearray(members["database.sqlite3"])
    data[-5_000] ^= 1
    members["database.sqlite3"] = bytes(data)


def a_broken_copy(members: dict[str, bytes]) -> None:
    """A copy that its manifest promises, and that is no sound database all the same."""
    import hashlib

    data = bytearray(members["database.sqlite3"])
    data[4_096:40_960] = b"\x5a" * (40_960 - 4_096)
    members["database.sqlite3"] = bytes(data)
    manifest(sha256=hashlib.sha256(data).hexdigest())(members)


def missing_row(members: dict[str, bytes]) -> None:
    rows = json.loads(members["manifest.json"])["rows"]
    manifest(rows={**rows, "users": 7})(members)


TAMPERED = [
    (manifest(format="other"), "no backup of SteinmetZ"),
    (manifest(version=2), "format 2"),
    (manifest(schema="9999"), "newer than this release"),
    (manifest(schema="0001'; DROP"), "manifest cannot be read"),
    (manifest(schema="0001"), "and should be at 0001"),
    (manifest(engine="postgresql"), "does not hold"),
    (manifest(engine="../x"), "manifest cannot be read"),
    (manifest(bytes=1), "does not fit"),
    (manifest(bytes=-1), "manifest cannot be read"),
    (manifest(bytes=10**18), "does not fit"),
    (manifest(sha256="0" * 64), "does not fit"),
    (manifest(rows=None), "manifest cannot be read"),
    (manifest(rows={"users": "many"}), "manifest cannot be read"),
    (manifest(createdAt="yesterday"), "manifest cannot be read"),
    (missing_row, "rows in users"),
    (renamed("../database.sqlite3"), "does not hold"),
    (renamed("/etc/passwd"), "does not hold"),
    (renamed("manifest.json/x"), "does not hold"),
    (another_member, "does not hold"),
    (no_manifest, "does not hold"),
    (a_long_manifest, "manifest cannot be read"),
    (a_bomb, "does not fit"),
    (other_copy, "does not fit"),
    (a_broken_copy, "not sound"),
]


@pytest.fixture
def untouched(url: str, tmp_path: Path) -> Iterator[None]:
    """After the test the database is, byte for byte, what it was, and nothing lies beside it."""
    path = tmp_path / "data" / "steinmetz.db"
    before = path.read_bytes()
    yield
    assert path.read_bytes() == before
    assert {each.name for each in path.parent.iterdir()} <= {"steinmetz.db", "doorbells"}


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("edit", "says"), TAMPERED)
def test_a_backup_that_is_not_what_it_says_is_refused(
    edit: Edit,
    says: str,
    good_backup: Path,
    run: Run,
    tmp_path: Path,
) -> None:
    rewritten(good_backup, tmp_path / "bad.backup", edit, zipfile.ZIP_DEFLATED)
    assert says in refusal(run("restore", "bad.backup"))


@pytest.mark.usefixtures("untouched")
def test_a_method_of_packing_that_we_do_not_use_is_refused(good_backup: Path, run: Run, tmp_path: Path) -> None:
    rewritten(good_backup, tmp_path / "bad.backup", lambda members: None, compression=zipfile.ZIP_BZIP2)
    assert "does not hold" in refusal(run("restore", "bad.backup"))


def test_every_flipped_bit_and_every_truncation_is_noticed(good_backup: Path, tmp_path: Path) -> None:
    whole = good_backup.read_bytes()
    bad = tmp_path / "bad.backup"
    places = [
        *range(0, 400, 7),
        *range(400, len(whole) - 400, len(whole) // 60),
        *range(len(whole) - 400, len(whole), 7),
    ]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        bad.write_bytes(damaged)
        with pytest.raises(BackupError, match="damaged"):
            Archive(bad)
    for length in (0, 1, 63, 64, 65, 200, len(whole) // 2, len(whole) - 64, len(whole) - 1):
        bad.write_bytes(whole[:length])
        with pytest.raises(BackupError, match="damaged"):
            Archive(bad)
    bad.write_bytes(whole + b"x")
    with pytest.raises(BackupError, match="damaged"):
        Archive(bad)


@pytest.mark.usefixtures("untouched")
def test_what_is_no_archive_at_all_is_refused(run: Run, tmp_path: Path) -> None:
    for junk in (b"x" * 64, os.urandom(10_000), b"PK\x05\x06" + b"\0" * 18):
        (tmp_path / "bad.backup").write_bytes(junk + b"0" * 64)
        assert "damaged" in refusal(run("restore", "bad.backup"))
        sealed(tmp_path / "bad.backup")
        assert "cannot be restored" in refusal(run("restore", "bad.backup"))


@pytest.mark.usefixtures("untouched")
def test_a_full_disk_leaves_the_database_as_it_was(
    good_backup: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(1, 1, 0))
    assert "no room" in refusal(run("restore", str(good_backup)))
    monkeypatch.undo()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert run("restore", str(good_backup)).exit_code == 2


# What is in the way


def test_an_older_schema_is_taken_and_the_next_step_is_named(run: Run, tmp_path: Path) -> None:
    old = f"sqlite:///{tmp_path}/old.db"
    migrations.upgrade(old)
    in_transaction(
        old, lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    )
    assert run("backup", "old.backup", at=old).exit_code == 0
    new = f"sqlite:///{tmp_path}/new.db"
    done = run("restore", "old.backup", at=new)
    assert done.exit_code == 0
    assert (
        f"Its schema is 0001, this release needs {migrations.head()}: the next start migrates it." in done.stderr
    )


def test_a_file_that_another_program_has_open_is_not_replaced(url: str, run: Run, good_backup: Path) -> None:
    path = url.removeprefix("sqlite:///")
    before = content(url)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("SELECT count(*) FROM users").fetchone()
        assert "another program" in refusal(run("restore", str(good_backup)))
        assert content(url) == before
        # Told to, it changes the content and not the file: the other goes on with what was restored.
        done = run("restore", str(good_backup), "--even-in-use", "--json")
        assert done.exit_code == 0, done.output
        assert other.execute("SELECT count(*) FROM users").fetchone() == (0,)
    assert content(f"sqlite:///{json.loads(done.stdout)['kept']}") == before


def test_a_broken_database_is_replaced_and_kept_with_its_log(run: Run, good_backup: Path, tmp_path: Path) -> None:
    path = tmp_path / "data" / "steinmetz.db"
    path.write_bytes(b"broken" * 10_000)
    path.with_name("steinmetz.db-wal").write_bytes(b"log")
    done = run("restore", str(good_backup), "--json")
    assert done.exit_code == 0, done.output
    kept = Path(json.loads(done.stdout)["kept"])
    assert kept.read_bytes() == b"broken" * 10_000
    assert kept.with_name(kept.name + "-wal").read_bytes() == b"log"
    assert not path.with_name("steinmetz.db-wal").exists()
    assert content(f"sqlite:///{path}")["users"] == []


@pytest.mark.parametrize("point", ["kept", "cleared", "replaced"])
def test_at_every_instant_the_database_is_one_of_the_two(
    point: str, url: str, good_backup: Path, tmp_path: Path, company_file: Path
) -> None:
    class Killed(BaseException):
        pass

    def die(reached: str) -> None:
        if reached == point:
            raise Killed

    path = Path(url.removeprefix("sqlite:///"))
    before = content(url)
    with Archive(good_backup) as archive:
        archive.extract(tmp_path / "copy", lambda label, done, total: None)
    with pytest.raises(Killed):
        sqlite.put_in_place(tmp_path / "copy", path, die)
    assert content(url) == before if point != "replaced" else content(url)["users"] == []


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
class TestPostgres:
    def test_a_filled_database_is_emptied_only_if_told(self, url: str, run: Run) -> None:
        assert run("backup", "a.backup").exit_code == 0
        change(url)
        changed = content(url)
        assert "--replace" in refusal(run("restore", "a.backup"))
        assert content(url) == changed

    def test_a_database_that_others_use_is_left_alone_unless_told(self, url: str, run: Run) -> None:
        assert run("backup", "a.backup").exit_code == 0
        change(url)
        changed = content(url)

        async def beside() -> None:
            async with postgres.connected(load_settings(database_url=url).url) as other:
                done = await asyncio.to_thread(run, "restore", "a.backup", "--replace")
                assert "connections use the database" in refusal(done)
                assert await asyncio.to_thread(content, url) == changed
                done = await asyncio.to_thread(run, "restore", "a.backup", "--replace", "--even-in-use")
                assert done.exit_code == 0, done.output
                assert await other.fetchval("SELECT count(*) FROM customers WHERE name = 'Niemand'") == 0

        asyncio.run(beside())

    @pytest.mark.parametrize("point", ["emptied", "pre-data", "invoices", "data", "post-data", "restored"])
    def test_whatever_ends_it_early_the_database_is_as_it_was(
        self, point: str, url: str, run: Run, tmp_path: Path
    ) -> None:
        class Killed(BaseException):
            pass

        def die(reached: str) -> None:
            if reached == point:
                raise Killed

        assert run("backup", "a.backup").exit_code == 0
        change(url)
        changed = content(url)
        from contextlib import nullcontext

        with Archive(tmp_path / "a.backup") as archive:
            archive.extract(tmp_path / "copy", lambda label, done, total: None)
            restoring = postgres.restore(
                load_settings(database_url=url).url,
                tmp_path / "copy",
                archive.manifest.contents,
                lambda label, done, total: None,
                replace=True,
                even_in_use=False,
                around_commit=nullcontext,
                failpoint=die,
            )
            with pytest.raises(Killed):
                asyncio.run(restoring)
        assert content(url) == changed

    def test_a_dump_that_promises_other_rows_is_refused_at_the_end(
        self, url: str, run: Run, tmp_path: Path
    ) -> None:
        assert run("backup", "a.backup").exit_code == 0
        before = content(url)

        def more_users(members: dict[str, bytes]) -> None:
            rows = json.loads(members["manifest.json"])["rows"]
            manifest(rows={**rows, "users": rows["users"] + 1})(members)

        rewritten(tmp_path / "a.backup", tmp_path / "b.backup", more_users)
        assert "rows in users" in refusal(run("restore", "b.backup", "--replace"))
        assert content(url) == before

    def test_a_dump_that_is_cut_short_is_refused(self, url: str, run: Run, tmp_path: Path) -> None:
        assert run("backup", "a.backup").exit_code == 0
        before = content(url)

        def shorter(members: dict[str, bytes]) -> None:
            import hashlib

            data = members["database.pgdump"] = members["database.pgdump"][: len(members["database.pgdump"]) // 2]
            manifest(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())(members)

        rewritten(tmp_path / "a.backup", tmp_path / "b.backup", shorter)
        assert refusal(run("restore", "b.backup", "--replace"))
        assert content(url) == before
