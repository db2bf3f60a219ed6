"""The catalogue over HTTP. Readings are kept by role: each sees its own part of the tree.

An id is a path of slugs and is written into the URL as it is (``/nodes/finanzen/kennzahlen``). The routes with a
word behind the id come first; no id ends with such a word (`rules.RESERVED_STEPS`).
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from steinmetz.cache import cached, invalidates
from steinmetz.erp.dependencies import Reading, Writing, reads_as, writes_as
from steinmetz.erp.kit.answers import Answer, Listing, json_answer
from steinmetz.erp.kit.fields import MAX_RECORD_ID, Text
from steinmetz.erp.kit.pagination import Paging
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog import service
from steinmetz.erp.modules.catalog.rules import MAX_ID, MAX_LEVELS
from steinmetz.erp.modules.catalog.schemas import (
    ChildView,
    Deleted,
    Hit,
    LintView,
    MenuEntry,
    NodeDetail,
    NodeInput,
    NodeMove,
    NodePatch,
    NodeView,
    Reloaded,
    RulesView,
    TreeNode,
)

PATH = "/api/functions"

router = APIRouter(prefix=PATH, tags=["catalog"])

NodePath = Annotated[Text, Path(max_length=MAX_ID, description="E.g. `finanzen/kennzahlen`")]
WRITES = [writes_as(Role.MANAGER)]


@router.get("", response_model=Answer[list[TreeNode]])
@cached(ttl=900, vary_on="role")
async def get_tree(
    unit: Reading, depth: Annotated[int, Query(ge=1, le=MAX_LEVELS, description="Levels, areas are 1")] = 1
) -> Response:
    """The areas with the number of their children, or more levels of the tree."""
    return json_answer(await service.levels(unit, depth))


@router.get("/rules", response_model=Answer[RulesView])
@cached(ttl=600, shared=True)
async def get_rules(unit: Reading) -> Any:
    """The rules document that the catalogue is linted by."""
    return {"success": True, "data": await service.rules_document(unit)}


@router.get("/menu", response_model=Answer[list[MenuEntry]])
@cached(ttl=900, vary_on="role")
async def get_menu(unit: Reading) -> Response:
    """Areas and their groups, as far as the caller's role sees them."""
    return json_answer(await service.menu(unit))


@router.get("/search", response_model=Listing[Hit])
@cached(ttl=300, vary_on="role")
async def search(
    unit: Reading,
    paging: Paging,
    q: Annotated[Text, Query(max_length=200, description="Beginnings of words, all of which must occur")],
) -> Any:
    """Find functions by the words of title and description, the best first."""
    hits, following, total = await service.search(unit, q, paging)
    return {"success": True, "data": hits, "page": {"next": following, "total": total}}


@router.get("/lint", response_model=Answer[LintView], dependencies=[reads_as(Role.MANAGER)])
@cached(ttl=300, vary_on="role")
async def lint(unit: Reading) -> Any:
    """What is wrong with the catalogue by its own rules."""
    return {"success": True, "data": await service.findings(unit)}


@router.post("/reload", response_model=Answer[Reloaded], dependencies=[writes_as(Role.ADMIN)])
@invalidates(PATH)
async def reload(unit: Writing) -> Any:
    """Put the rules in force anew and tell every screen to read the catalogue again."""
    return {"success": True, "data": await service.reload(unit)}


@router.post("/nodes", response_model=Answer[NodeView], status_code=201, dependencies=WRITES)
@invalidates(PATH)
async def create_node(unit: Writing, data: NodeInput) -> Any:
    """A new function, group or area. Its id is made from its parent's and its title."""
    return {"success": True, "data": await service.create(unit, data)}


@router.get("/nodes/{node_id:path}/children", response_model=Answer[list[ChildView]])
@cached(ttl=300, vary_on="role")
async def get_children(unit: Reading, node_id: NodePath) -> Any:
    """The nodes directly below one, as far as the caller's role sees them."""
    return {"success": True, "data": await service.children(unit, node_id)}


@router.post("/nodes/{node_id:path}/move", response_model=Answer[NodeView], dependencies=WRITES)
@invalidates(PATH)
async def move_node(unit: Writing, node_id: NodePath, data: NodeMove) -> Any:
    """Give a node another parent or place; its id stays."""
    return {"success": True, "data": await service.move(unit, node_id, data)}


@router.get("/nodes/{node_id:path}", response_model=Answer[NodeDetail])
@cached(ttl=300, vary_on="role")
async def get_node(unit: Reading, node_id: NodePath) -> Any:
    """One node with the way to it and the number of its children."""
    return {"success": True, "data": await service.node(unit, node_id)}


@router.patch("/nodes/{node_id:path}", response_model=Answer[NodeView], dependencies=WRITES)
@invalidates(PATH)
async def change_node(unit: Writing, node_id: NodePath, patch: NodePatch) -> Any:
    """Change title, description, icon, kind or role; what is left out stays as it is, and so does the id."""
    return {"success": True, "data": await service.change(unit, node_id, patch)}


@router.delete("/nodes/{node_id:path}", response_model=Answer[Deleted], dependencies=WRITES)
@invalidates(PATH)
async def delete_node(
    unit: Writing,
    node_id: NodePath,
    version: Annotated[int, Query(ge=1, le=MAX_RECORD_ID, description="The version the caller has read")],
    recursive: Annotated[bool, Query(description="Also everything below it")] = False,
) -> Any:
    """Delete a node; with ``recursive`` also everything below it, otherwise that is a 409."""
    return {"success": True, "data": await service.delete(unit, node_id, version, with_below=recursive)}
