"""A seeded company for the writes of one module, on the engine that a test asks for."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.main import create_app
from tests.app.conftest import running, settings_for, strict
from tests.app.writes.house import House, open_house


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every write on SQLite; those marked ``both_databases`` on PostgreSQL too, the ``long`` ones if asked for."""
    if "house" in metafunc.fixturenames:
        marked = metafunc.definition.get_closest_marker("both_databases")
        is_both = marked is not None and ("LONG_TESTS" in os.environ or not marked.kwargs.get("long"))
        engines = ["sqlite", "postgresql"] if is_both else ["sqlite"]
        metafunc.parametrize("house", engines, indirect=True, scope="module")


@pytest.fixture(scope="module")
async def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One company for all writes of one file and engine: each is verified against what the one before has left."""
    folder = tmp_path_factory.mktemp("house")
    async with AsyncExitStack() as stack:
        if request.param == "postgresql":
            url: str = stack.enter_context(request.getfixturevalue("postgres_company")())
        else:
            shutil.copy(request.getfixturevalue("sqlite_company"), folder / "steinmetz.db")
            url = f"sqlite:///{folder / 'steinmetz.db'}"
        app = create_app(settings_for(folder, url), clock=FakeClock())
        await stack.enter_async_context(running(app))
        await stack.enter_async_context(strict(app))
        house = await open_house(stack, app)
        yield house
        await house.verify_everything()
