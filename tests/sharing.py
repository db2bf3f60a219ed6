"""What the workers of one run need alike is made by the first of them who asks."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest

Shared = Callable[[str, Callable[[Path], None]], Path]
"""Called with a name and what makes the folder of that name, if nobody has yet; tells the folder, to be copied."""


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    base = tmp_path_factory.getbasetemp()
    place = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def once(name: str, make: Callable[[Path], None]) -> Path:
        folder = place / name
        with (place / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                # A folder that was not finished has another name: its test fails, and the next one tries again.
                making = tmp_path_factory.mktemp(name)
                make(making)
                making.rename(folder)
        return folder

    return once
