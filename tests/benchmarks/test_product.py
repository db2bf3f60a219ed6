"""The whole way that a benchmark goes, on the real product with a small company."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.erp import pay_before_screens
from benchmarks.harness.options import CACHE, Options
from benchmarks.harness.product import Product, served
from steinmetz.clock import SystemClock
from steinmetz.erp import migrations
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.modules.auth.passwords import PasswordHasher
from steinmetz.erp.seed import TINY, seed
from steinmetz.erp.settings import load_settings
from steinmetz.erp.traffic.client import Plan, run
from steinmetz.erp.traffic.report import Tally

OPTIONS = Options(quick=True)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder: Path = tmp_path_factory.mktemp("company")
    address = f"sqlite:///{folder / 'steinmetz.db'}"
    hasher = PasswordHasher(load_settings(argon2_memory_kib=8, argon2_time_cost=1))
    migrations.upgrade(address)
    seed(address, scale=TINY, today=company_date(SystemClock().now()), password_hasher=hasher.hash_now)
    name = f"test-{os.getpid()}"
    with served(folder, name=name, cores=OPTIONS.cores.server) as found:
        yield found
    shutil.rmtree(CACHE / "run" / name)


def test_the_workload_meets_no_refusal_and_no_lie(product: Product) -> None:
    tally = Tally()
    counted = product.probed()
    asyncio.run(run(Plan(product.url, clerks=4, duration_s=3, pause_s=0.03), tally))
    assert tally.requests > 30
    assert (tally.refused, tally.broken) == (0, 0), tally.statuses
    assert (tally.ledger.stale, tally.ledger.backwards, tally.events_backwards) == (0, 0, 0), tally.ledger.findings
    assert tally.ledger.checked > 50
    assert tally.x_cache["HIT"] > 0
    assert tally.x_cache.keys() <= {"HIT", "MISS"}
    assert tally.events["dashboard:update"] > 0
    found = product.probed().since(counted)
    writes = tally.requests - tally.read_count
    assert found.statements["write"] > writes
    assert found.statements["recompute"] > 0
    assert len(found.commits_ns) >= writes


def test_every_screen_hears_of_every_payment(product: Product) -> None:
    screens = pay_before_screens(product, 30, 2, OPTIONS)
    assert (screens.connected, screens.refusal, screens.unheard) == (30, "", 0)
    assert screens.arrivals.count == 60
    assert 0 < screens.arrivals.quantile_ms(0.5) < 20_000
