"""Every write of the catalogue, against every cached GET, for every role."""

from __future__ import annotations

import pytest

from steinmetz.erp.kit.roles import Role
from tests.app.writes.house import House
from tests.app.writes.paths.catalog import CATALOGUE, a_leaf

pytestmark = pytest.mark.anyio


@pytest.mark.both_databases
async def test_changing_a_node(house: House) -> None:
    node = await a_leaf(house)
    await house.verify_write(
        lambda: house.manager.patch(
            f"{CATALOGUE}/nodes/{node['id']}", json={"title": "Quartalsausblick", "version": node["version"]}
        )
    )


async def test_creating_a_node(house: House) -> None:
    node = await a_leaf(house)
    await house.verify_write(
        lambda: house.manager.post(
            f"{CATALOGUE}/nodes", json={"parentId": node["parentId"], "title": "Neue Auswertung"}
        )
    )


async def test_creating_a_node_for_managers_is_not_told_to_clerks(house: House) -> None:
    node = await a_leaf(house)
    await house.verify_write(
        lambda: house.manager.post(
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
        lambda: house.manager.patch(
            f"{CATALOGUE}/nodes/{node['id']}", json={"minRole": "manager", "version": node["version"]}
        )
    )


async def test_moving_a_node(house: House) -> None:
    node = await a_leaf(house)
    (area,) = await house.data_of(f"{CATALOGUE}?depth=1")
    await house.verify_write(
        lambda: house.manager.post(
            f"{CATALOGUE}/nodes/{node['id']}/move", json={"parentId": area["id"], "version": node["version"]}
        )
    )


async def test_deleting_a_node(house: House) -> None:
    node = await a_leaf(house)
    await house.verify_write(
        lambda: house.manager.delete(f"{CATALOGUE}/nodes/{node['id']}", params={"version": node["version"]})
    )
