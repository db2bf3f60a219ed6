"""``tests/unit`` mirrors ``src/steinmetz``: who looks for a file's tests finds them by its path."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "steinmetz"
UNIT = ROOT / "tests" / "unit"

DECIDING = [
    "realtime/engineio",
    "realtime/socketio",
    "cache/policy",
    "monitor/analysis",
    "sql/facts.py",
    "sql/effects.py",
    "live/doorbell/messages.py",
    "live/merge_patch.py",
    "live/telling.py",
    "live/turns.py",
    "live/watch.py",
]


def has_code(file: Path) -> bool:
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(ast.parse(file.read_text()))
    )


def test_every_unit_test_file_lies_where_its_source_lies() -> None:
    strays = []
    for test in UNIT.rglob("test_*.py"):
        place = test.relative_to(UNIT)
        source = SOURCES / place.parent / test.name.removeprefix("test_")
        if not source.exists() and not source.with_suffix("").is_dir():
            strays.append(str(place))
    assert strays == []


def test_every_deciding_file_has_tests_of_its_own() -> None:
    lacking = []
    for room in DECIDING:
        path = SOURCES / room
        for file in [path] if path.suffix else sorted(path.rglob("*.py")):
            place = file.relative_to(SOURCES)
            if has_code(file) and not (UNIT / place.parent / f"test_{file.name}").exists():
                lacking.append(str(place))
    assert lacking == []
