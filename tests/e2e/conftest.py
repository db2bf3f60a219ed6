"""A small company in a database of its own, for tests that start the product as a process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from steinmetz.clock import SystemClock
from steinmetz.erp import migrations
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.modules.auth.passwords import PasswordHasher
from steinmetz.erp.seed import TINY, seed
from steinmetz.erp.settings import load_settings
from tests.sharing import Shared

Company = tuple[Path, str | None]
"""The data folder, and the database's address unless it is the embedded one in that folder."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_databases: run on SQLite and on PostgreSQL")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("both_databases") and "company" in metafunc.fixturenames:
        metafunc.parametrize("company", ["sqlite", "postgresql"], indirect=True)


def settle(url: str) -> None:
    """Migrate and fill the database at ``url``."""
    hasher = PasswordHasher(load_settings(argon2_memory_kib=8, argon2_time_cost=1))
    migrations.upgrade(url)
    seed(url, scale=TINY, today=company_date(SystemClock().now()), password_hasher=hasher.hash_now)


@pytest.fixture(scope="session")
def settled_folder(shared: Shared) -> Path:
    """A data folder with a seeded embedded database, made once; to be copied."""
    return shared("settled", lambda folder: settle(f"sqlite:///{folder}/steinmetz.db"))


@pytest.fixture(scope="session")
def new_folder(settled_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes data folders, each with a seeded database of its own."""

    def make() -> Path:
        folder = tmp_path_factory.mktemp("data")
        shutil.copytree(settled_folder, folder, dirs_exist_ok=True)
        return folder

    return make


@pytest.fixture
def company(request: pytest.FixtureRequest, new_folder: Callable[[], Path], tmp_path: Path) -> Company:
    if getattr(request, "param", "sqlite") == "sqlite":
        return new_folder(), None
    url: str = request.getfixturevalue("fresh_postgres_url")
    settle(url)
    return tmp_path, url
