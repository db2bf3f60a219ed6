"""Every write of the catalogue, against every cached GET, for every role."""

from __future__ import annotations

import httpx2
import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp.kit.roles import Role
from tests.app.writes.house import House
from tests.app.writes.paths.catalog import CATALOGUE, a_leaf

pytestmark = pytest.mark.anyio


@pytest.mark.both_databases(long=True)
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


LAGER = "## 📦 Lager\n\n├── 🏷️ Bestand\n│ └── 📋 Zählung\n└── 🚚 Versand\n"


async def imported(house: House, text: str, name: str = "_7_Lager.md", **query: str) -> httpx2.Response:
    files = [{"name": name, "text": text}]
    return await house.admin.post(f"{CATALOGUE}/import", json={"files": files}, params=query)


@pytest.mark.both_databases(long=True)
async def test_importing_a_file(house: House) -> None:
    await house.verify_write(lambda: imported(house, LAGER))


async def test_importing_another_state_of_a_file_and_the_same_again(house: House) -> None:
    moved = LAGER.replace("└── 🚚 Versand", "├── 📋 Zählung").replace("│ └── 📋 Zählung\n", "")
    await house.verify_write(lambda: imported(house, moved))
    await house.verify_write(lambda: imported(house, moved))


async def test_importing_so_much_that_everybody_reads_again(house: House) -> None:
    shelves = "".join(f"├── Regal {number}\n" for number in range(60))
    await house.verify_write(lambda: imported(house, LAGER.replace("└── 🚚", f"{shelves}└── 🚚")))
    heard = {name for reader in house.readers for name in reader.heard()}
    assert "catalog:reload" in heard
    assert "catalog:update" not in heard


async def test_importing_what_only_lint_tells_of(house: House) -> None:
    await house.verify_write(lambda: imported(house, LAGER.replace("├── 🏷️", "├️⃣ 🏷️")))
    await house.verify_write(lambda: imported(house, "\n" + LAGER.replace("├── 🏷️", "├️⃣ 🏷️")))


async def test_importing_rules(house: House) -> None:
    await house.verify_write(lambda: imported(house, '{"maxDepth": 2}', "_0_REGELN.md"))


async def test_a_dry_run_and_a_refused_file_change_nothing(house: House) -> None:
    await house.verify_write(lambda: imported(house, LAGER, "neu.md", dryRun="true"))
    await house.verify_write(lambda: imported(house, "## Neu\n├── \0", "neu.md"), succeeds=False)


async def test_putting_the_rules_in_force_anew(house: House) -> None:
    clock = house.app.state.clock
    assert isinstance(clock, FakeClock)
    clock.advance(1)
    await house.verify_write(lambda: house.admin.post(f"{CATALOGUE}/reload"))
