"""Where SQLite keeps the pages of a process's connections."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port

PROGRAM = """
import _sqlite3, ctypes, json, sqlite3, sys
from steinmetz.cli import page_pool

file, is_first = sys.argv[1], "first" in sys.argv
early = None if is_first else sqlite3.connect(":memory:")
shared = page_pool.share_pages()

def status(which):
    now, most = ctypes.c_int(), ctypes.c_int()
    ctypes.CDLL(_sqlite3.__file__).sqlite3_status(which, ctypes.byref(now), ctypes.byref(most), 0)
    return most.value

pool_pages, heap_bytes = 1, 2
connections = [sqlite3.connect(file, isolation_level=None) for _ in range(30)]
connections[0].execute("PRAGMA journal_mode=WAL")
connections[0].execute("CREATE TABLE IF NOT EXISTS words (id INTEGER PRIMARY KEY, word TEXT)")
connections[0].executemany("INSERT INTO words (word) VALUES (?)", [("x" * 1_000,)] * 2_000)
for each in connections:
    each.execute("PRAGMA cache_size=-500")
counts = {each.execute("SELECT sum(length(word)) FROM words").fetchone()[0] for each in connections}
figures = {"counts": list(counts), "pool_pages": status(pool_pages), "heap_bytes": status(heap_bytes)}
print(json.dumps({"shared": shared, **figures}))
"""

SERVE = """
import _sqlite3, ctypes, sys
from steinmetz.cli import serve

serve._serve = lambda settings, door, traffic: None
serve.serve_command(host="127.0.0.1", port=int(sys.argv[1]), workers=None, no_seed=True)
now, most = ctypes.c_int(), ctypes.c_int()
ctypes.CDLL(_sqlite3.__file__).sqlite3_status(1, ctypes.byref(now), ctypes.byref(most), 0)
print(most.value)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="SQLite is told of a pool on Linux only")


def found(file: Path, *arguments: str) -> dict[str, Any]:
    """What 30 connections that read 2 MB each have used, at most."""
    command = [sys.executable, "-c", PROGRAM, str(file), *arguments]
    program = subprocess.run(command, check=True, capture_output=True, timeout=60)
    answer: dict[str, Any] = json.loads(program.stdout)
    return answer


def test_all_connections_keep_their_pages_in_one_pool_and_few_in_the_heap(tmp_path: Path) -> None:
    with_pool = found(tmp_path / "a.db", "first")
    assert with_pool["shared"]
    assert with_pool["counts"] == [2_000_000]
    assert 500 < with_pool["pool_pages"] <= 2_048
    assert with_pool["heap_bytes"] < 200_000, (
        "who finds the pool empty takes pages of others, as far as they may go"
    )


def test_once_there_is_a_connection_it_is_too_late_and_nothing_happens(tmp_path: Path) -> None:
    late = found(tmp_path / "b.db")
    assert not late["shared"]
    assert late["counts"] == [2_000_000]
    assert late["pool_pages"] == 0
    assert late["heap_bytes"] > 1_000_000


def test_the_server_gives_the_pool_before_it_opens_its_database(tmp_path: Path) -> None:
    settings = {name: value for name, value in os.environ.items() if not name.startswith("STEINMETZ_")}
    program = subprocess.run(
        [sys.executable, "-c", SERVE, str(free_port())],
        env={**settings, "STEINMETZ_DATA_DIR": str(tmp_path)},
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert int(program.stdout.split()[-1]) > 20, "pages of the pool that its migrations have used"
