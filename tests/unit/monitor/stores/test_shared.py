"""Life in the background of a store that is shared; what it keeps is the contract of tests/contract."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import create_engine, text

from steinmetz.clock import SystemClock
from steinmetz.monitor import DatabaseShelf, QueryMonitor, SharedStore
from steinmetz.sql import hook


def test_a_program_without_a_loop_keeps_its_figures(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/monitor.db"
    for run in (1, 2):
        store = SharedStore(SystemClock(), DatabaseShelf(create_engine(url), owned=True))
        store.start_thread()
        store.start_thread()  # once more is no more
        monitor = QueryMonitor(store=store)
        engine = create_engine("sqlite://")
        monitor.attach(hook(engine))
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        store.stop_thread()
        store.stop_thread()
        assert monitor.query_stats()["totalQueries"] == run
        engine.dispose()
