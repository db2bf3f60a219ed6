"""What every test may use; real servers come from tests/servers.py on demand."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

pytest_plugins = ["tests.sharing", "tests.servers"]

if sys.dont_write_bytecode:
    # Without bytecode each worker and each server compiles some thousand modules anew, for 10 s. Who wants none in
    # the tree gets none there: it is kept in the environment's own folder.
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(sys.prefix, "pycache"))
    os.environ |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": sys.pycache_prefix}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Ids are the same in every process, which a set's own order is not."""
    return ",".join(sorted(map(str, val))) or "-" if isinstance(val, set | frozenset) else None


def pytest_collection_finish() -> None:
    """Thousands of tests and modules stay to the end: the collector need not walk them again and again, nor what
    every application leaves behind after each 700 objects: a tenth of a run's time was its."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 10)


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """A test that configures the log does so for itself only."""
    loggers = [logging.getLogger(name) for name in (None, "uvicorn", "uvicorn.error", "uvicorn.access")]
    before = [(each.handlers[:], each.level, each.propagate, each.disabled) for each in loggers]
    yield
    structlog.reset_defaults()
    for each, (handlers, level, propagate, disabled) in zip(loggers, before, strict=True):
        each.handlers[:], each.propagate, each.disabled = handlers, propagate, disabled
        each.setLevel(level)
