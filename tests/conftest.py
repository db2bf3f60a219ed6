"""What every test may use; real servers come from tests/servers.py on demand."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.servers"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
