"""The catalogue of functions."""

from __future__ import annotations

from typing import Any

from tests.app.writes.house import House

CATALOGUE = "/api/functions"
HEARD = {"catalog:update|catalog:reload": f"^{CATALOGUE}"}


async def a_leaf(house: House) -> dict[str, Any]:
    """A node of the catalogue that everybody sees and that has no children."""
    (area,) = await house.data_of(f"{CATALOGUE}?depth=1")
    node_id = area["id"]
    while children := await house.data_of(f"{CATALOGUE}/nodes/{node_id}/children"):
        node_id = next(child["id"] for child in children if child["minRole"] == "clerk")
    node: dict[str, Any] = await house.data_of(f"{CATALOGUE}/nodes/{node_id}")
    return node


async def paths(house: House) -> list[str]:
    node = await a_leaf(house)
    parent_id = node["parentId"]
    return [
        CATALOGUE,
        f"{CATALOGUE}/rules",
        f"{CATALOGUE}/menu",
        f"{CATALOGUE}/lint",
        f"{CATALOGUE}/search?q={node['title'].split()[0]}",
        f"{CATALOGUE}/nodes/{node['id']}",
        f"{CATALOGUE}/nodes/{parent_id}",
        f"{CATALOGUE}/nodes/{parent_id}/children",
    ]
