"""Every business write, against every cached GET, for every role."""

from __future__ import annotations

from collections.abc import AsyncIterator
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
from steinmetz.erp.main import Application, create_app
from steinmetz.erp.modules.auth.passwords import PasswordHasher
from steinmetz.erp.modules.dashboard.schemas import WidgetId
from steinmetz.erp.seed import PASSWORD, TINY, seed
from steinmetz.realtime.testing import connect
from tests.app.conftest import running, settings_for
from tests.app.verify_write import CATALOGUE, OVERVIEW, House, Reader

pytestmark = pytest.mark.anyio


def fill(url: str) -> None:
    """A tiny company in the migrated database at ``url``."""
    hasher = PasswordHasher(settings_for(Path("."), "sqlite:///none.db"))
    seed(url, scale=TINY, today=company_date(FakeClock().now()), password_hasher=hasher.hash_now)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every write on SQLite; those marked ``both_databases`` on PostgreSQL too."""
    if "house" in metafunc.fixturenames:
        is_both = metafunc.definition.get_closest_marker("both_databases")
        engines = ["sqlite", "postgresql"] if is_both else ["sqlite"]
        metafunc.parametrize("house", engines, indirect=True, scope="module")


@pytest.fixture(scope="module")
async def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """One company for all writes of one engine: each is verified against what the one before has left."""
    folder = tmp_path_factory.mktemp("house")
    if request.param == "postgresql":
        url: str = request.getfixturevalue("module_postgres_url")
    else:
        url = f"sqlite:///{folder / 'steinmetz.db'}"
        migrations.upgrade(url)
    fill(url)
    async with AsyncExitStack() as stack:
        app = create_app(settings_for(folder, url), clock=FakeClock())
        await stack.enter_async_context(running(app))
        yield await open_house(stack, app)


async def open_house(stack: AsyncExitStack, app: Application) -> House:
    """Sign in as every role, over HTTP and by socket."""
    readers = []
    for role in Role:
        transport = httpx2.ASGITransport(app, client=("127.0.0.1", 40_000))
        http = await stack.enter_async_context(
            httpx2.AsyncClient(transport=transport, base_url="http://testserver")
        )
        token = await sign_in(http, role)
        assert app.state.io is not None
        socket = await stack.enter_async_context(connect(app.state.io, auth={"token": token}))
        readers.append(Reader(role, http, socket))
    house = House(app, readers, [])
    house.paths = await cached_paths(house)
    return house


async def sign_in(http: httpx2.AsyncClient, role: Role) -> str:
    answer = await http.post(
        "/api/auth/login", json={"email": f"{role.value}@steinmetz.example", "password": PASSWORD}
    )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["data"]["accessToken"]
    http.headers["Authorization"] = f"Bearer {token}"
    return token


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


@pytest.mark.both_databases
async def test_every_cached_answer_is_kept_for_every_role(house: House) -> None:
    await house.verify_kept()


# -- the writes -----------------------------------------------------------------------------------------------


@pytest.mark.both_databases
async def test_paying_an_invoice(house: House) -> None:
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
async def test_drafting_and_sending_an_invoice(house: House) -> None:
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
async def test_changing_a_node(house: House) -> None:
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
async def test_a_rolled_back_write_says_nothing_and_leaves_the_hits(house: House) -> None:
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
    assert [reader.socket.events for reader in house.readers] == [[]] * len(house.readers)
    await house.verify_kept()
