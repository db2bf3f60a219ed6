"""The advice as a revision that Alembic can run."""

from __future__ import annotations

from typing import Any

import pytest

from steinmetz.monitor.advisor.advice import Advice, Creation, Removal
from steinmetz.monitor.advisor.revision import revision_text
from tests.unit.monitor.advisor.engine import index


class Operations:
    """Alembic's ``op``, which notes what it is told."""

    def __init__(self) -> None:
        self.executed: list[str] = []
        self.blocks = 0

    def execute(self, statement: str) -> None:
        self.executed.append(statement)

    def get_context(self) -> Operations:
        return self

    def autocommit_block(self) -> Operations:
        self.blocks += 1
        return self

    def __enter__(self) -> None: ...
    def __exit__(self, *error: object) -> None: ...


def run(text: str, function: str, monkeypatch: pytest.MonkeyPatch) -> Operations:
    operations = Operations()
    monkeypatch.setattr("alembic.op", operations)
    names: dict[str, Any] = {}
    exec(compile(text, "revision", "exec"), names)
    names[function]()
    return operations


def advice(dialect: str) -> Advice:
    made, dropped = index("orders", "tenant", "-created"), index("orders", "idle", name="ix_idle")
    concurrently = dialect == "postgresql"
    return Advice(
        dialect,
        create=[Creation(made, made.ddl(concurrently=concurrently), 1, 1.0, [])],
        drop=[Removal(dropped, dropped.drop_ddl(concurrently=concurrently), 1, "idle")],
    )


@pytest.mark.parametrize(("dialect", "how"), [("sqlite", ""), ("postgresql", "CONCURRENTLY ")])
def test_up_makes_and_drops_and_down_goes_back(dialect: str, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = revision_text(advice(dialect), revision="abc", down_revision="0008")
    up, down = (run(text, name, monkeypatch) for name in ("upgrade", "downgrade"))
    name = index("orders", "tenant", "-created").shown_name
    assert up.executed == [
        f"CREATE INDEX {how}{name} ON orders (tenant, created DESC)",
        f"DROP INDEX {how}ix_idle",
    ]
    assert down.executed == [f"CREATE INDEX {how}ix_idle ON orders (idle)", f"DROP INDEX {how}{name}"]
    assert up.blocks == down.blocks == (1 if how else 0)


def test_its_place_in_the_history_is_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    text = revision_text(advice("sqlite"), revision="abc", down_revision="0008")
    assert "Revises: 0008\n" in text
    assert "revision = 'abc'\ndown_revision = '0008'\n" in text
    first = revision_text(Advice("sqlite"), revision="abc", down_revision=None)
    assert "down_revision = None" in first
    assert run(first, "upgrade", monkeypatch).executed == []
