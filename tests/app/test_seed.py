"""The seeded company in real databases, through the command, and through the application."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from time import process_time
from typing import Any

import httpx2
import pytest
import typer
from sqlalchemy import Connection, func, insert, select, text
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from steinmetz.cli.seed import seed_command
from steinmetz.erp import seed
from steinmetz.erp.migrations.schema import schema
from steinmetz.erp.migrations.transaction import in_transaction
from steinmetz.erp.modules.auth.models import User
from steinmetz.erp.modules.auth.passwords import PasswordHasher
from steinmetz.erp.modules.finance.models import Customer, Invoice, Payment, Transaction
from steinmetz.erp.modules.hr.models import Department, Employee, TimeEntry
from steinmetz.erp.seed.rows import TABLES
from steinmetz.erp.settings import load_settings

TODAY = date(2026, 3, 2)


def hasher(password: str) -> str:
    return f"hash of {password}"


def fill(url: str, **changes: Any) -> None:
    arguments: dict[str, Any] = {"scale": seed.TINY, "today": TODAY, "password_hasher": hasher, **changes}
    seed.seed(url, **arguments)


Copy = Callable[[], str]


@pytest.fixture(scope="module")
def seeded(sqlite_migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny company with passwords that open the door, made once and copied."""
    folder = tmp_path_factory.mktemp("seeded")
    cheap = load_settings(data_dir=folder, argon2_memory_kib=8, argon2_time_cost=1)
    path = folder / "company.db"
    shutil.copy(sqlite_migrated, path)
    fill(f"sqlite:///{path}", password_hasher=PasswordHasher(cheap).hash_now)
    return path


@pytest.fixture
def new_sqlite(sqlite_migrated: Path, tmp_path: Path) -> Copy:
    """Makes embedded databases without rows."""

    def make() -> str:
        path = tmp_path / f"company{len(list(tmp_path.glob('*.db')))}.db"
        shutil.copy(sqlite_migrated, path)
        return f"sqlite:///{path}"

    return make


@pytest.fixture
def sqlite_url(new_sqlite: Copy) -> str:
    return new_sqlite()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    name = "sqlite_url" if request.param == "sqlite" else "clean_postgres_url"
    return str(request.getfixturevalue(name))


def digest(url: str) -> str:
    """Of every seeded value, as the models read it."""

    def read(connection: Connection) -> str:
        content = hashlib.sha256()
        for name in TABLES.values():
            table = schema().tables[name]
            for row in connection.execute(select(table).order_by(*table.primary_key)):
                content.update(repr(tuple(map(plain, row))).encode())
        return content.hexdigest()

    return in_transaction(url, read)


def plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def count(url: str, model: type) -> int:
    return in_transaction(
        url, lambda connection: int(connection.scalar(select(func.count()).select_from(model)) or 0)
    )


def test_both_engines_hold_the_same_company(sqlite_url: str, clean_postgres_url: str, new_sqlite: Copy) -> None:
    again = new_sqlite()

    for url in (sqlite_url, again, clean_postgres_url):
        fill(url)

    assert digest(sqlite_url) == digest(again) == digest(clean_postgres_url)


def test_another_seed_is_another_company(sqlite_url: str, new_sqlite: Copy) -> None:
    other = new_sqlite()

    fill(sqlite_url, seed=1)
    fill(other, seed=2)

    assert digest(sqlite_url) != digest(other)


def test_the_search_index_holds_every_node(url: str) -> None:
    fill(url)

    def found(connection: Connection) -> int:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(
                "INSERT INTO function_nodes_fts (function_nodes_fts) VALUES ('integrity-check')"
            )
            query = "SELECT count(*) FROM function_nodes_fts WHERE function_nodes_fts MATCH 'zahlungseingänge'"
        else:
            query = "SELECT count(*) FROM function_nodes WHERE search @@ to_tsquery('simple', 'zahlungseingänge')"
        return int(connection.scalar(text(query)) or 0)

    assert in_transaction(url, found) > 5


def test_new_records_get_ids_after_the_seeded_ones(url: str) -> None:
    fill(url)
    before = count(url, Customer)

    def add(connection: Connection) -> int:
        with Session(connection) as session:
            new = Customer(
                number="K-99999", name="Neu GmbH", created_at=datetime.fromisoformat("2026-03-02T09:00Z")
            )
            session.add(new)
            session.flush()
            return new.id

    assert in_transaction(url, add) == before + 1


def test_the_models_read_what_was_written(url: str) -> None:
    fill(url)

    def read(connection: Connection) -> tuple[Any, ...]:
        with Session(connection) as session:
            invoice = session.scalars(select(Invoice).where(Invoice.paid_at.is_not(None)).limit(1)).one()
            user = session.scalars(select(User).where(User.email == "admin@steinmetz.example")).one()
            return (
                invoice.paid_at,
                sum(item.net_cents for item in invoice.items) == invoice.net_cents,
                user.is_active,
            )

    paid_at, adds_up, is_active = in_transaction(url, read)
    assert paid_at.tzinfo is not None
    assert adds_up is True
    assert is_active is True


def test_a_database_with_data_is_refused_and_left_alone(url: str) -> None:
    user = {"email": "somebody@example.com", "name": "Somebody", "role": "clerk"}
    created = {**user, "created_at": datetime.fromisoformat("2026-03-02T09:00Z")}
    in_transaction(url, lambda connection: connection.execute(insert(User), created))

    with pytest.raises(seed.NotEmptyError, match=r"table users.*seed only fills an empty one"):
        fill(url)

    assert (count(url, User), count(url, Customer)) == (1, 0)


def test_a_second_seed_is_refused(sqlite_url: str) -> None:
    fill(sqlite_url)
    before = digest(sqlite_url)

    with pytest.raises(seed.NotEmptyError):
        fill(sqlite_url, seed=2)

    assert digest(sqlite_url) == before


def test_a_database_without_tables_is_refused_with_the_way_out(tmp_path: Path, empty_postgres_url: str) -> None:
    for url in (f"sqlite:///{tmp_path}/empty.db", empty_postgres_url):
        with pytest.raises(seed.NotMigratedError, match="run `steinmetz migrate` first"):
            fill(url)


def test_a_seed_that_breaks_off_leaves_nothing(url: str) -> None:
    def stop(label: str, done: int, expected: int) -> None:
        if label == "Working time":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fill(url, progress=stop)

    assert in_transaction(url, seed.is_empty)


def test_progress_goes_through_the_phases_and_each_ends_full(sqlite_url: str) -> None:
    heard: list[tuple[str, int, int]] = []

    fill(sqlite_url, progress=lambda *step: heard.append(step))

    labels = list(dict.fromkeys(label for label, _, _ in heard))
    assert labels == ["Catalogue", "People", "Invoices and books", "Working time", "Chat and notices"]
    for label in labels:
        last = [step for step in heard if step[0] == label][-1]
        assert last[1] == last[2]
    assert all(0 <= done <= expected for _, done, expected in heard)


def test_the_demo_is_there_within_fifteen_seconds(sqlite_url: str) -> None:
    begun = process_time()

    fill(sqlite_url, scale=seed.DEMO)

    assert process_time() - begun < 15
    sizes = {model: count(sqlite_url, model) for model in (Department, Employee, Customer, Invoice, TimeEntry)}
    assert sizes == {Department: 8, Employee: 250, Customer: 400, Invoice: 5_000, TimeEntry: 40_000}
    assert count(sqlite_url, Transaction) == pytest.approx(seed.DEMO.posting_lines, rel=0.03)
    assert count(sqlite_url, Payment) > 4_500


class TestCommand:
    @pytest.fixture
    def command(self) -> typer.Typer:
        app = typer.Typer()
        app.command("seed")(seed_command)
        return app

    @pytest.fixture
    def data_dir(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
        """Of an installation that is all defaults, with cheap hashes."""
        monkeypatch.setenv("STEINMETZ_DATA_DIR", str(tmp_path / "data"))
        monkeypatch.setenv("STEINMETZ_ARGON2_MEMORY_KIB", "8")
        monkeypatch.setenv("STEINMETZ_ARGON2_TIME_COST", "1")
        monkeypatch.delenv("STEINMETZ_DATABASE_URL", raising=False)
        monkeypatch.setitem(seed.SCALES, "demo", seed.TINY)
        return tmp_path / "data"

    def test_it_makes_migrates_and_fills_the_embedded_database(self, command: typer.Typer, data_dir: Path) -> None:
        result = CliRunner().invoke(command, ["--seed", "3", "--today", "2026-03-02"])

        assert result.exit_code == 0, result.output
        assert "seed 3, stands as of 2026-03-02" in result.output
        assert "clerk@steinmetz.example" in result.output
        assert count(f"sqlite:///{data_dir}/steinmetz.db", Invoice) == seed.TINY.invoices

    def test_a_second_time_it_says_why_not_in_one_line(self, command: typer.Typer, data_dir: Path) -> None:
        CliRunner().invoke(command, ["--today", "2026-03-02"])

        result = CliRunner().invoke(command, [])

        assert result.exit_code == 2
        assert "steinmetz: the database holds data already" in result.stderr
        assert "Traceback" not in result.output

    def test_postgresql_is_not_migrated_by_the_way(
        self, command: typer.Typer, data_dir: Path, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STEINMETZ_DATABASE_URL", empty_postgres_url)

        result = CliRunner().invoke(command, [])

        assert result.exit_code == 2
        assert "run `steinmetz migrate` first" in result.stderr

    def test_a_day_that_is_none_is_refused(self, command: typer.Typer, data_dir: Path) -> None:
        result = CliRunner().invoke(command, ["--today", "morgen"])

        assert result.exit_code == 2
        assert "is not a date like 2026-03-02" in result.stderr
        assert not data_dir.exists()


class TestThroughTheApplication:
    """The seeded company behind the real ASGI door."""

    pytestmark = pytest.mark.anyio

    @pytest.fixture
    def database_url(self, seeded: Path, tmp_path: Path) -> str:
        shutil.copy(seeded, tmp_path / "company.db")
        return f"sqlite:///{tmp_path / 'company.db'}"

    async def signed_in(self, client: httpx2.AsyncClient, role: str) -> httpx2.AsyncClient:
        credentials = {"email": f"{role}@steinmetz.example", "password": seed.PASSWORD}
        answer = await client.post("/api/auth/login", json=credentials)
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['data']['accessToken']}"
        return client

    @pytest.mark.parametrize("role", ["admin", "manager", "clerk", "auditor"])
    async def test_each_demo_login_opens_the_door(self, client: httpx2.AsyncClient, role: str) -> None:
        me = await (await self.signed_in(client, role)).get("/api/auth/me")

        assert me.json()["data"]["role"] == role

    async def test_no_seeded_invoice_was_overlooked_when_it_fell_due(
        self, client: httpx2.AsyncClient, database_url: str
    ) -> None:
        await (await self.signed_in(client, "clerk")).get("/api/dashboard/overview")

        query = text("SELECT count(*) FROM audit_entries WHERE action = 'invoice.fall_due'")
        assert in_transaction(database_url, lambda connection: connection.scalar(query)) == 0

    async def test_the_overview_shows_a_company_that_is_alive(self, client: httpx2.AsyncClient) -> None:
        answer = await (await self.signed_in(client, "clerk")).get("/api/dashboard/overview")

        assert answer.status_code == 200, answer.text
        shown = answer.json()["data"]
        assert len(shown["revenue"]["months"]) == 12
        assert all(month["netCents"] > 0 for month in shown["revenue"]["months"][:-1])
        assert shown["cash"]["balanceCents"] > 0
        assert shown["openInvoices"]["count"] > 0
        assert shown["hoursThisWeek"]["minutes"] > 0
        assert shown["headcount"]["total"] >= 8
        assert len(shown["activity"]) == 10
