"""Every business write, against every cached GET, for every role."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp import migrations
from steinmetz.erp.errors import Problem
from steinmetz.erp.kit.days import company_date
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.main import Application
from steinmetz.erp.modules.auth.passwords import PasswordHasher
from steinmetz.erp.modules.dashboard.schemas import WidgetId
from steinmetz.erp.seed import PASSWORD, TINY, seed
from tests.app.conftest import settings_for
from tests.app.verify_write import CATALOGUE, OVERVIEW, House, open_house

pytestmark = pytest.mark.anyio


def cheap_hash() -> Callable[[str], str]:
    return PasswordHasher(settings_for(Path("."), "sqlite:///none.db")).hash_now


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny company in a SQLite file, made once and copied for each test."""
    path = tmp_path_factory.mktemp("seeded") / "tiny.db"
    url = f"sqlite:///{path}"
    migrations.upgrade(url)
    seed(url, scale=TINY, today=company_date(FakeClock().now()), password_hasher=cheap_hash())
    return path


@pytest.fixture
def database_url(engine_name: str, seeded: Path, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if engine_name == "postgresql":
        url: str = request.getfixturevalue("fresh_postgres_url")
        seed(url, scale=TINY, today=company_date(FakeClock().now()), password_hasher=cheap_hash())
        return url
    path = tmp_path / "steinmetz.db"
    path.write_bytes(seeded.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
async def house(app: Application, clients: Callable[[], Awaitable[httpx2.AsyncClient]]) -> AsyncIterator[House]:
    async def sign_in(role: Role) -> tuple[httpx2.AsyncClient, str]:
        http = await clients()
        answer = await http.post(
            "/api/auth/login", json={"email": f"{role.value}@steinmetz.example", "password": PASSWORD}
        )
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["data"]["accessToken"]
        http.headers["Authorization"] = f"Bearer {token}"
        return http, token

    async with AsyncExitStack() as stack:
        house = await open_house(stack, app, sign_in, [])
        house.paths = await cached_paths(house)
        yield house


async def data_of(house: House, path: str) -> Any:
    answer = await writer(house).get(path)
    assert answer.status_code == 200, f"{path}: {answer.text}"
    return answer.json()["data"]


def writer(house: House, role: Role = Role.MANAGER) -> httpx2.AsyncClient:
    return next(reader.http for reader in house.readers if reader.role is role)


async def an_invoice(house: House, status: str) -> dict[str, Any]:
    row: dict[str, Any] = (await data_of(house, f"/api/invoices?status={status}&limit=1"))[0]
    return row


async def a_draft(house: House) -> dict[str, Any]:
    customer = (await data_of(house, "/api/customers?limit=1"))[0]
    answer = await writer(house, Role.CLERK).post(
        "/api/invoices",
        json={
            "customerId": customer["id"],
            "items": [{"description": "Wartung", "quantityMilli": 1500, "unitPriceCents": 9900}],
        },
    )
    invoice: dict[str, Any] = answer.json()["data"]
    return invoice


async def a_leaf(house: House) -> dict[str, Any]:
    """A node of the catalogue that everybody sees and that has no children."""
    (area,) = await data_of(house, CATALOGUE + "?depth=1")
    node_id = area["id"]
    while children := await data_of(house, f"{CATALOGUE}/nodes/{node_id}/children"):
        node_id = next(child["id"] for child in children if child["minRole"] == "clerk")
    node: dict[str, Any] = await data_of(house, f"{CATALOGUE}/nodes/{node_id}")
    return node


async def cached_paths(house: House) -> list[str]:
    """One or more requests for every cached route; `test_no_cached_route_is_forgotten` sees to that."""
    invoice, customer = await an_invoice(house, "sent"), (await data_of(house, "/api/customers?limit=1"))[0]
    node = await a_leaf(house)
    parent_id = node["parentId"]
    return [
        OVERVIEW,
        "/api/dashboard",
        *(f"/api/dashboard/widgets/{widget}" for widget in WidgetId),
        "/api/customers",
        f"/api/customers?q={customer['name'][:4]}",
        f"/api/customers/{customer['id']}",
        "/api/invoices",
        "/api/invoices?status=sent&limit=5",
        "/api/invoices?status=paid&limit=5",
        f"/api/invoices/{invoice['id']}",
        "/api/payments",
        CATALOGUE,
        f"{CATALOGUE}/rules",
        f"{CATALOGUE}/menu",
        f"{CATALOGUE}/lint",
        f"{CATALOGUE}/search?q={node['title'].split()[0]}",
        f"{CATALOGUE}/nodes/{node['id']}",
        f"{CATALOGUE}/nodes/{parent_id}",
        f"{CATALOGUE}/nodes/{parent_id}/children",
    ]


async def test_no_cached_route_is_forgotten(house: House) -> None:
    from steinmetz.cache import RouteTable

    table = RouteTable.of(house.app.api)
    marked = {route.template for _, route in table if route.policy is not None}
    visited = {table.match("GET", path.partition("?")[0]).template for path in house.paths}
    assert visited == marked


# -- the writes -----------------------------------------------------------------------------------------------


@pytest.mark.both_databases
async def test_paying_an_invoice(house: House, engine_name: str) -> None:
    invoice = await an_invoice(house, "sent")
    owed = invoice["grossCents"] - invoice["paidCents"]
    await house.verify_write(
        lambda: writer(house, Role.CLERK).post(
            f"/api/invoices/{invoice['id']}/pay", json={"amountCents": owed, "version": invoice["version"]}
        )
    )


async def test_paying_a_part_of_an_invoice(house: House) -> None:
    invoice = await an_invoice(house, "sent")
    await house.verify_write(
        lambda: writer(house, Role.CLERK).post(
            f"/api/invoices/{invoice['id']}/pay", json={"amountCents": 1, "version": invoice["version"]}
        )
    )


@pytest.mark.both_databases
async def test_drafting_and_sending_an_invoice(house: House, engine_name: str) -> None:
    customer = (await data_of(house, "/api/customers?limit=1"))[0]
    drafted: list[httpx2.Response] = []

    async def draft() -> httpx2.Response:
        drafted.append(
            await writer(house, Role.CLERK).post(
                "/api/invoices",
                json={
                    "customerId": customer["id"],
                    "items": [{"description": "Wartung", "quantityMilli": 1500, "unitPriceCents": 9900}],
                },
            )
        )
        return drafted[0]

    await house.verify_write(draft)
    invoice = drafted[0].json()["data"]
    await house.verify_write(
        lambda: writer(house, Role.CLERK).post(
            f"/api/invoices/{invoice['id']}/send", json={"version": invoice["version"]}
        )
    )


async def test_changing_a_draft(house: House) -> None:
    invoice = await a_draft(house)
    await house.verify_write(
        lambda: writer(house, Role.CLERK).patch(
            f"/api/invoices/{invoice['id']}", json={"note": "Bitte prüfen", "version": invoice["version"]}
        )
    )


async def test_cancelling_an_invoice(house: House) -> None:
    invoice = await a_draft(house)
    await house.verify_write(
        lambda: writer(house).post(f"/api/invoices/{invoice['id']}/cancel", json={"version": invoice["version"]})
    )


async def test_creating_a_customer(house: House) -> None:
    await house.verify_write(
        lambda: writer(house, Role.CLERK).post("/api/customers", json={"name": "Aalener Apparatebau GmbH"})
    )


async def test_changing_a_customer(house: House) -> None:
    customer = (await data_of(house, "/api/customers?limit=1"))[0]
    await house.verify_write(
        lambda: writer(house, Role.CLERK).patch(
            f"/api/customers/{customer['id']}", json={"city": "Aalen", "version": customer["version"]}
        )
    )


@pytest.mark.both_databases
async def test_changing_a_node(house: House, engine_name: str) -> None:
    node = await a_leaf(house)
    await house.verify_write(
        lambda: writer(house).patch(
            f"{CATALOGUE}/nodes/{node['id']}", json={"title": "Quartalsausblick", "version": node["version"]}
        )
    )


async def test_creating_a_node(house: House) -> None:
    node = await a_leaf(house)
    await house.verify_write(
        lambda: writer(house).post(
            f"{CATALOGUE}/nodes", json={"parentId": node["parentId"], "title": "Neue Auswertung"}
        )
    )


async def test_creating_a_node_for_managers_is_not_told_to_clerks(house: House) -> None:
    node = await a_leaf(house)
    await house.verify_write(
        lambda: writer(house).post(
            f"{CATALOGUE}/nodes",
            json={"parentId": node["parentId"], "title": "Gehaltsübersicht", "minRole": "manager"},
        )
    )
    heard = {reader.role: reader.heard()["catalog:update"] for reader in house.readers}
    assert heard[Role.CLERK] == 0
    assert heard[Role.MANAGER] == heard[Role.AUDITOR] == 1


async def test_hiding_a_node_from_clerks(house: House) -> None:
    node = await a_leaf(house)
    await house.verify_write(
        lambda: writer(house).patch(
            f"{CATALOGUE}/nodes/{node['id']}", json={"minRole": "manager", "version": node["version"]}
        )
    )


async def test_moving_a_node(house: House) -> None:
    node = await a_leaf(house)
    (area,) = await data_of(house, CATALOGUE + "?depth=1")
    await house.verify_write(
        lambda: writer(house).post(
            f"{CATALOGUE}/nodes/{node['id']}/move", json={"parentId": area["id"], "version": node["version"]}
        )
    )


async def test_deleting_a_node(house: House) -> None:
    node = await a_leaf(house)
    await house.verify_write(
        lambda: writer(house).delete(f"{CATALOGUE}/nodes/{node['id']}", params={"version": node["version"]})
    )


async def test_disabling_a_user(house: House) -> None:
    admin = writer(house, Role.ADMIN)
    created = await admin.post(
        "/api/users",
        json={"email": "neu@steinmetz.example", "name": "Neu Hier", "role": "clerk", "password": PASSWORD * 2},
    )
    user = created.json()["data"]
    await house.verify_write(
        lambda: admin.post(f"/api/users/{user['id']}/disable", json={"version": user["version"]})
    )


# -- writes that do not happen ------------------------------------------------------------------------------------


async def test_a_refused_write_changes_nothing_and_says_nothing(house: House) -> None:
    invoice = await an_invoice(house, "sent")
    await house.verify_write(
        lambda: writer(house).post(
            f"/api/invoices/{invoice['id']}/pay", json={"amountCents": 1, "version": invoice["version"] + 7}
        ),
        succeeds=False,
    )


@pytest.mark.both_databases
async def test_a_rolled_back_write_says_nothing_and_leaves_the_hits(house: House, engine_name: str) -> None:
    """The rows were written and flushed, an event was noted; then the request failed."""
    from steinmetz.erp.dependencies import Writing
    from steinmetz.erp.kit.announcements import Announcement
    from steinmetz.erp.modules.finance.models import Customer

    async def fail_late(unit: Writing) -> None:
        unit.session.add(Customer(number="K-0", name="Niemand GmbH", created_at=unit.now))
        await unit.session.flush()
        unit.publish(Announcement("catalog:update", {"deleted": "nothing"}))
        raise Problem(418, "No", "This request fails after it has written.")

    house.app.api.add_api_route("/api/test/fail-late", fail_late, methods=["POST"])
    page = house.app.api.router.routes.pop(-2)
    house.app.api.router.routes.append(page)
    await house.verify_write(lambda: writer(house).post("/api/test/fail-late"), succeeds=False)
    for reader in house.readers:
        assert (await reader.read(OVERVIEW)).headers["X-Cache"] == "HIT"
        assert not reader.socket.events


# -- traps ------------------------------------------------------------------------------------------------------


async def test_t14_an_answer_that_depends_on_the_day_ends_at_midnight(house: House, clock: FakeClock) -> None:
    reader = house.readers[0]
    await reader.read(OVERVIEW)
    clock.advance(14 * 3600)  # 2026-03-02T23:00Z is midnight in Berlin
    fresh = await reader.http.post(
        "/api/auth/login", json={"email": "admin@steinmetz.example", "password": PASSWORD}
    )
    reader.http.headers["Authorization"] = f"Bearer {fresh.json()['data']['accessToken']}"
    kept = await reader.read(OVERVIEW)
    assert kept.headers["X-Cache"] == "MISS"


async def test_t15_a_hundred_logins_drop_nobody_s_answers(
    house: House, app: Application, clock: FakeClock, clients: Callable[[], Awaitable[httpx2.AsyncClient]]
) -> None:
    for reader in house.readers:
        await reader.read(OVERVIEW)
    assert app.state.cache is not None
    asked = app.state.cache.stats()["authentications"]
    stranger = await clients()
    for _ in range(100):
        clock.advance(1)
        answer = await stranger.post(
            "/api/auth/login", json={"email": "clerk@steinmetz.example", "password": PASSWORD}
        )
        assert answer.status_code in {200, 429}, answer.text
    for reader in house.readers:
        assert (await reader.read(OVERVIEW)).headers["X-Cache"] == "HIT"
    assert app.state.cache.stats()["authentications"] == asked, "an admission was made uncertain by a login"
