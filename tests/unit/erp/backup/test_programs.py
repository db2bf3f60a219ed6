from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from steinmetz.erp.backup import programs
from steinmetz.erp.backup.manifest import BackupError

Install = Callable[[Path, int], Path]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Install:
    """Puts a program of a version where it is asked to; there are no others on this machine."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(programs, "DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(programs.importlib.util, "find_spec", lambda name: None)

    def put(folder: Path, major: int) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "pg_dump"
        path.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {major}.4 (Debian)'\n")
        path.chmod(0o755)
        return path

    return put


def test_the_program_of_the_servers_version_is_taken_wherever_it_is(install: Install, tmp_path: Path) -> None:
    install(tmp_path / "path", 15)
    newer = install(tmp_path / "debian" / "17" / "bin", 17)
    assert programs.program("pg_dump", 17) == newer
    assert programs.program("pg_dump", 15) == tmp_path / "path" / "pg_dump"


def test_no_such_program_is_said_with_what_to_install(install: Install, tmp_path: Path) -> None:
    install(tmp_path / "path", 15)
    with pytest.raises(BackupError, match=r"is of 15\): install Debian's postgresql-client-17"):
        programs.program("pg_dump", 17)


def test_a_program_that_does_not_run_is_none(tmp_path: Path) -> None:
    (tmp_path / "pg_dump").write_text("no program")
    assert programs.version_of(tmp_path / "pg_dump") is None
    assert programs.version_of(tmp_path / "nowhere") is None
