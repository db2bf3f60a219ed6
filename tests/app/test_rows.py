"""Which writes of the real application concern which of its answers, row by row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.main import Application
from steinmetz.sql import ReadSet, WriteSet, hook
from tests.app.conftest import SignIn
from tests.app.people import data

pytestmark = pytest.mark.anyio

NODES = "/api/functions/nodes"
ITEMS = [{"description": "Drehteil", "unitPriceCents": 10_000}]


class Journal:
    """What was committed since it was asked last."""

    def __init__(self, app: Application) -> None:
        self._writes = WriteSet()
        hook(app.state.database.engine).observe_transactions(self)

    def mark(self, writes: WriteSet) -> object:
        return writes

    def bump(self, token: object) -> None:
        assert isinstance(token, WriteSet)
        self._writes |= token

    def unmark(self, token: object) -> None:
        return

    def taken(self) -> WriteSet:
        writes, self._writes = self._writes, WriteSet()
        return writes


async def read_sets(app: Application, http: httpx2.AsyncClient, paths: list[str]) -> dict[str, ReadSet]:
    """What the answers at ``paths`` were computed from, without their path tags."""
    assert app.state.cache is not None
    app.state.cache.clear()
    for path in paths:
        assert (await http.get(path)).status_code == 200, path
    found = {}
    for entry in app.state.cache._store:
        own = {relation for relation in entry.read_set.relations if not relation.database.startswith("(")}
        found[entry.path] = ReadSet(frozenset(own), entry.read_set.unknown, entry.read_set.rows)
    assert set(found) == set(paths), "all are kept"
    return found


async def concerned(
    app: Application, http: httpx2.AsyncClient, paths: list[str], write: Callable[[], Awaitable[Any]]
) -> set[str]:
    """The answers that ``write`` concerns; those that have really changed must be among them."""
    reads = await read_sets(app, http, paths)
    before = {path: (await http.get(path, headers={"cache-control": "no-store"})).json() for path in paths}
    journal = Journal(app)
    await write()
    writes = journal.taken()
    hook(app.state.database.engine).unobserve(journal)
    after = {path: (await http.get(path, headers={"cache-control": "no-store"})).json() for path in paths}
    found = {path for path, read_set in reads.items() if read_set.concerned_by(writes)}
    assert {path for path in paths if before[path]["data"] != after[path]["data"]} <= found
    return found


@pytest.mark.both_databases
async def test_a_node_s_answer_outlives_writes_to_other_nodes(
    app: Application, sign_in: SignIn, engine_name: str
) -> None:
    manager = await sign_in(Role.MANAGER)
    for title in ("Sieben", "Acht"):
        await data(manager.post(NODES, json={"title": title}), 201)
    for parent in ("sieben", "acht"):
        await data(manager.post(NODES, json={"title": "Kind", "parentId": parent}), 201)
    seven, eight, below = f"{NODES}/sieben", f"{NODES}/acht", f"{NODES}/acht/kind"
    lists = [f"{NODES}/sieben/children", f"{NODES}/acht/children", "/api/functions"]
    paths = [seven, eight, below, *lists]

    async def rename() -> None:
        await data(manager.patch(eight, json={"version": 1, "title": "Achtung"}))

    async def add() -> None:
        await data(manager.post(NODES, json={"title": "Neu", "parentId": "acht"}), 201)

    found = await concerned(app, manager, paths, rename)
    # PostgreSQL's writers run at READ COMMITTED: nobody can say there that it is not below seven.
    of_seven = set[str]() if engine_name == "sqlite" else {lists[0]}
    assert found == {eight, below, *lists[1:], *of_seven}
    found = await concerned(app, manager, paths, add)
    assert {eight, f"{NODES}/acht/children", "/api/functions"} <= found


@pytest.mark.both_databases
async def test_an_invoice_s_answer_outlives_writes_to_other_invoices(
    app: Application, sign_in: SignIn, engine_name: str
) -> None:
    clerk = await sign_in(Role.CLERK)
    paths = []
    for name in ("A", "B", "C"):
        customer = await data(clerk.post("/api/customers", json={"name": name}), 201)
        drafted = await data(clerk.post("/api/invoices", json={"customerId": customer["id"], "items": ITEMS}), 201)
        paths += [f"/api/customers/{customer['id']}", f"/api/invoices/{drafted['id']}"]
    first, second = "/api/invoices/1", "/api/invoices/2"
    paths += ["/api/invoices", "/api/customers"]

    async def send() -> None:
        await data(clerk.post(f"{second}/send", json={"version": 1}))

    async def draft() -> None:
        await data(clerk.post("/api/invoices", json={"customerId": 1, "items": ITEMS}), 201)

    async def move_house() -> None:
        await data(clerk.patch("/api/customers/3", json={"version": 1, "city": "Ulm"}))

    sent = await concerned(app, clerk, paths, send)
    assert second in sent
    assert "/api/invoices" in sent
    assert sent.isdisjoint({first, "/api/invoices/3", "/api/customers/1", "/api/customers/3"})
    drafted = await concerned(app, clerk, paths, draft)
    assert "/api/invoices" in drafted
    assert drafted.isdisjoint({first, second, "/api/invoices/3"})
    moved = await concerned(app, clerk, paths, move_house)
    assert "/api/customers/3" in moved
    assert moved.isdisjoint({first, second, "/api/invoices/3", "/api/invoices", "/api/customers/1"})
