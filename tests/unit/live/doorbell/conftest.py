"""A place for doorbells, and an observer who writes down what he is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from steinmetz.live.doorbell import Bell, Place
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.facts import Relation
from steinmetz.sql.scope import current_scope

INVOICES = WriteSet(frozenset({Relation("main", "invoices")}))
ANYTHING = WriteSet(unknown=frozenset({"main"}))


class Notebook:
    """A `TransactionObserver` in whose hand one may see the order of things. ``gate`` holds up every mark."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Any]] = []
        self.causes: list[str] = []
        self.gate: threading.Event | None = None
        self.fails = False

    def mark(self, writes: WriteSet) -> object:
        if self.gate is not None:
            self.gate.wait(20)
        if self.fails:
            raise RuntimeError("a bug of ours")
        self.lines.append(("mark", writes))
        return writes

    def bump(self, token: object) -> None:
        scope = current_scope()
        self.causes.append(scope.name if scope is not None else "")
        self.lines.append(("bump", token))

    def unmark(self, token: object) -> None:
        self.lines.append(("unmark", token))

    def schema_changed(self) -> None:
        self.lines.append(("schema", None))

    def said(self, body: Any) -> None:
        self.lines.append(("said", body))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "doorbells", "sqlite:/a.db")


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture
def bell(place: Place, notebook: Notebook) -> Iterator[Bell]:
    bell = Bell(place, notebook, schema_changed=notebook.schema_changed, said=notebook.said)
    bell.open()
    yield bell
    if notebook.gate is not None:
        notebook.gate.set()
    bell.close()


def eventually(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Wait until ``condition`` holds: what another thread does takes its time."""
    give_up = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < give_up, "it never came to pass"
        time.sleep(0.002)
