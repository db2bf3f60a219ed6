"""What the catalogue asks of the database, alike on SQLite and PostgreSQL; decides nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    column,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from steinmetz.erp.kit.queries import named
from steinmetz.erp.kit.roles import READS_AS, Role
from steinmetz.erp.modules.catalog.models import CatalogRules, CatalogSource, FunctionNode
from steinmetz.erp.modules.catalog.rules import MAX_LEVELS

RULES_ID = 1
_WALK_LIMIT = 2 * MAX_LEVELS
"""No walk along parents is longer, even if somebody made a circle by hand."""

TREE_COLUMNS = (
    FunctionNode.id,
    FunctionNode.parent_id,
    FunctionNode.title,
    FunctionNode.icon,
    FunctionNode.kind,
    FunctionNode.min_role,
    FunctionNode.depth,
    FunctionNode.position,
    FunctionNode.version,
)
HIT_COLUMNS = (
    FunctionNode.id,
    FunctionNode.parent_id,
    FunctionNode.area,
    FunctionNode.title,
    FunctionNode.description,
    FunctionNode.icon,
    FunctionNode.kind,
    FunctionNode.version,
)

_NODES: Table = FunctionNode.metadata.tables[FunctionNode.__tablename__]

Rows = Sequence[Row[*tuple[Any, ...]]]


@named
async def node(session: AsyncSession, node_id: str) -> FunctionNode | None:
    return await session.get(FunctionNode, node_id)


@named
async def node_to_change(session: AsyncSession, node_id: str) -> FunctionNode | None:
    """The node, its row locked until the end of the unit."""
    return await session.get(FunctionNode, node_id, with_for_update={"key_share": True}, populate_existing=True)


@named
async def lock_tree(session: AsyncSession) -> None:
    """Whoever changes the shape of the tree waits here for whoever did so before.

    Two moves at once could otherwise make a circle of which neither sees the other half. The rows of the areas
    are the lock; on SQLite the whole unit is one.
    """
    areas = select(FunctionNode.id).where(FunctionNode.parent_id.is_(None)).order_by(FunctionNode.id)
    await session.execute(areas.with_for_update(key_share=True))


@named
async def rows_to_level(session: AsyncSession, depth: int, *, versions: bool = True) -> Rows:
    """`TREE_COLUMNS` of the nodes above ``depth`` (areas: 0), parents before children, siblings in order; after
    them those at ``depth``, as far as they are counted. Without ``versions`` each of them is 0.

    It looks at no more than is shown, level by level: who changes a deeper node, or what is not shown of one, does
    not concern the answer.
    """
    columns = TREE_COLUMNS if versions else (*TREE_COLUMNS[:-1], literal(0).label("version"))
    shown = (
        select(*columns)
        .where(FunctionNode.depth.in_(range(depth)))
        .order_by(FunctionNode.depth, FunctionNode.position, FunctionNode.id)
    )
    counted = select(FunctionNode.id, FunctionNode.parent_id, FunctionNode.min_role, FunctionNode.depth).where(
        FunctionNode.depth == depth
    )
    return [*(await session.execute(shown)).all(), *(await session.execute(counted)).all()]


@named
async def every_row(session: AsyncSession) -> Rows:
    """What lint looks at, parents before children."""
    statement = select(*TREE_COLUMNS, FunctionNode.description)
    ordered = statement.order_by(FunctionNode.depth, FunctionNode.position, FunctionNode.id)
    return (await session.execute(ordered)).all()


@cache
def _ways() -> Select[str, str, Role]:
    """Made once: to build it takes several times as long as to find it in the cache of statements.

    Without titles, for it looks at all rows: a new title anywhere would concern every answer with a way in it.
    """
    start = select(
        FunctionNode.id.label("target"),
        FunctionNode.id,
        FunctionNode.parent_id,
        FunctionNode.min_role,
        literal(0).label("distance"),
    ).where(FunctionNode.id.in_(bindparam("node_ids", expanding=True)))
    way = start.cte("way", recursive=True)
    above = aliased(FunctionNode)
    way = way.union_all(
        select(way.c.target, above.id, above.parent_id, above.min_role, way.c.distance + 1)
        .join(way, above.id == way.c.parent_id)
        .where(way.c.distance < _WALK_LIMIT)
    )
    return select(way.c.target, way.c.id, way.c.min_role).order_by(way.c.target, way.c.distance.desc())


@named
async def ways_to(session: AsyncSession, node_ids: Collection[str]) -> dict[str, list[tuple[str, str, Role]]]:
    """(id, title, min role) of every node on the way from its area to each of ``node_ids``, both included.

    Ids without a node are left out.
    """
    steps = (await session.execute(_ways(), {"node_ids": list(node_ids)})).all()
    named = select(FunctionNode.id, FunctionNode.title).where(FunctionNode.id.in_({step.id for step in steps}))
    titles: dict[str, str] = {row.id: row.title for row in await session.execute(named)}
    ways: dict[str, list[tuple[str, str, Role]]] = {}
    for target, step_id, min_role in steps:
        if step_id in titles:  # not deleted meanwhile
            ways.setdefault(target, []).append((step_id, titles[step_id], min_role))
    return ways


@named
async def below(session: AsyncSession, node_id: str) -> Rows:
    """(id, min role, depth) of the node and of everything below it."""
    root = select(FunctionNode.id, FunctionNode.min_role, FunctionNode.depth).where(FunctionNode.id == node_id)
    tree = root.cte("tree", recursive=True)
    child = aliased(FunctionNode)
    tree = tree.union(select(child.id, child.min_role, child.depth).join(tree, child.parent_id == tree.c.id))
    return (await session.execute(select(tree.c.id, tree.c.min_role, tree.c.depth))).all()


@named
async def children(session: AsyncSession, parent_id: str, role: Role) -> Sequence[FunctionNode]:
    """The children of a node that ``role`` sees, if it sees the node."""
    statement = (
        select(FunctionNode)
        .where(FunctionNode.parent_id == parent_id, FunctionNode.min_role.in_(_seen(role)))
        .order_by(FunctionNode.position, FunctionNode.id)
    )
    return (await session.scalars(statement)).all()


@named
async def child_counts(session: AsyncSession, parent_ids: Collection[str], role: Role) -> dict[str, int]:
    """How many children each node has that ``role`` sees; nodes without any are left out."""
    statement = (
        select(FunctionNode.parent_id, func.count())
        .where(FunctionNode.parent_id.in_(parent_ids), FunctionNode.min_role.in_(_seen(role)))
        .group_by(FunctionNode.parent_id)
    )
    return {str(parent_id): count for parent_id, count in await session.execute(statement)}


def _seen(role: Role) -> list[Role]:
    return sorted(READS_AS[role])


@named
async def ids_beginning(session: AsyncSession, stem: str) -> set[str]:
    statement = select(FunctionNode.id).where(FunctionNode.id.startswith(stem, autoescape=True))
    return set(await session.scalars(statement))


@named
async def make_room(
    session: AsyncSession, parent_id: str | None, position: int | None
) -> tuple[int, list[FunctionNode]]:
    """The position of a new child, at ``position`` or after the last; and siblings that made room for it."""
    siblings = FunctionNode.parent_id.is_(None) if parent_id is None else FunctionNode.parent_id == parent_id
    last = await session.scalar(select(func.max(FunctionNode.position)).where(siblings))
    end = 0 if last is None else last + 1
    if position is None or position >= end:
        return end, []
    await session.execute(
        update(FunctionNode)
        .where(siblings, FunctionNode.position >= position)
        .values(position=FunctionNode.position + 1)
        .execution_options(synchronize_session=False)
    )
    moved = select(FunctionNode).where(siblings, FunctionNode.position > position)
    ordered = moved.order_by(FunctionNode.position, FunctionNode.id).execution_options(populate_existing=True)
    return position, list(await session.scalars(ordered))


@named
async def lower(session: AsyncSession, node_ids: Collection[str], by: int, area: str) -> None:
    """These nodes lie ``by`` levels deeper now (or higher, below zero), in ``area``."""
    ids = sorted(node_ids)
    for some in _in_parts(ids):
        await session.execute(
            update(FunctionNode)
            .where(FunctionNode.id.in_(some))
            .values(depth=FunctionNode.depth + by, area=area)
            .execution_options(synchronize_session=False)
        )


@named
async def delete(session: AsyncSession, node: FunctionNode) -> None:
    """The node; the database deletes what lies below it."""
    await session.delete(node)
    await session.flush()


@named
async def search(
    session: AsyncSession, words: Sequence[str], role: Role, *, offset: int, limit: int
) -> tuple[Rows, int]:
    """`HIT_COLUMNS` of nodes that hold a word beginning with each of ``words``, the best first, and the total.

    ``words`` are of letters and digits only (`rules.search_words`): nothing in them means anything to the engines.
    """
    found, matches, rank = _sqlite_search(words) if _is_sqlite(session) else _postgresql_search(words)
    conditions = [matches, *_not_hidden(role)]
    hits = (
        select(*HIT_COLUMNS)
        .select_from(found)
        .where(*conditions)
        .order_by(rank, FunctionNode.id)
        .offset(offset)
        .limit(limit)
    )
    rows = (await session.execute(hits)).all()
    total = await session.scalar(select(func.count()).select_from(found).where(*conditions))
    return rows, total or 0


def _is_sqlite(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _sqlite_search(words: Sequence[str]) -> tuple[FromClause, ColumnElement[bool], ColumnElement[Any]]:
    index = table("function_nodes_fts", column("node_id"))
    name: ColumnElement[Any] = literal_column("function_nodes_fts")
    matches = name.op("MATCH", is_comparison=True)(" ".join(f'"{word}"*' for word in words))
    nodes = FunctionNode.__table__
    joined = nodes.join(index, index.c.node_id == FunctionNode.id)
    return joined, matches, func.bm25(name, 10.0, 1.0)


def _postgresql_search(words: Sequence[str]) -> tuple[FromClause, ColumnElement[bool], ColumnElement[Any]]:
    text: ColumnElement[Any] = literal_column("function_nodes.search")
    query = func.to_tsquery(literal_column("'simple'"), " & ".join(f"'{word}':*" for word in words))
    return FunctionNode.__table__, text.op("@@", is_comparison=True)(query), -func.ts_rank(text, query)


@cache
def _not_hidden(role: Role) -> tuple[ColumnElement[bool], ...]:
    """Neither the node nor any of its ancestors asks for more than ``role``."""
    if READS_AS[role] == frozenset(Role):
        return ()
    start = select(FunctionNode.id).where(FunctionNode.min_role.not_in(_seen(role)))
    hidden = start.cte("hidden", recursive=True)
    child = aliased(FunctionNode)
    hidden = hidden.union(select(child.id).join(hidden, and_(child.parent_id == hidden.c.id)))
    return (FunctionNode.id.not_in(select(hidden.c.id)),)


@named
async def rules(session: AsyncSession) -> CatalogRules | None:
    return await session.get(CatalogRules, RULES_ID)


@named
async def rules_to_change(session: AsyncSession) -> CatalogRules | None:
    return await session.get(CatalogRules, RULES_ID, with_for_update=True, populate_existing=True)


# Importing


@named
async def lock_whole_tree(session: AsyncSession) -> None:
    """Nobody else changes the catalogue until the end of the unit, nor has begun to.

    An import decides by all nodes and by ids that are free. On PostgreSQL this is the first lock that its unit
    takes; all who change nodes begin with `lock_tree`, which waits for it.
    """
    if not _is_sqlite(session):
        await session.execute(text("LOCK TABLE function_nodes IN EXCLUSIVE MODE"))


@named
async def whole_tree(session: AsyncSession) -> Rows:
    """What `planning.Stored` names, of every node, parents before children."""
    statement = select(*TREE_COLUMNS, FunctionNode.area, FunctionNode.source, FunctionNode.source_key)
    ordered = statement.order_by(FunctionNode.depth, FunctionNode.position, FunctionNode.id)
    return (await session.execute(ordered)).all()


@named
async def insert_nodes(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Parents before their children."""
    if rows:
        await session.execute(_NODES.insert(), rows)


@named
async def change_nodes(session: AsyncSession, rows: Sequence[dict[str, Any]], now: datetime | None) -> None:
    """Give the nodes of these ids new values; with ``now`` they get a new version.

    Every row names the same columns.
    """
    if not rows:
        return
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in rows[0] if name != "id"}
    if now is not None:
        values |= {"version": _NODES.c.version + 1, "updated_at": literal(now, _NODES.c.updated_at.type)}
    statement = _NODES.update().where(_NODES.c.id == bindparam("new_id")).values(**values)
    await session.execute(statement, [{f"new_{name}": value for name, value in row.items()} for row in rows])


@named
async def delete_nodes(session: AsyncSession, node_ids: Sequence[str]) -> None:
    """The database deletes what lies below them."""
    for some in _in_parts(node_ids):
        await session.execute(_NODES.delete().where(_NODES.c.id.in_(some)))


@named
async def nodes(session: AsyncSession, node_ids: Sequence[str]) -> Sequence[FunctionNode]:
    """In no order; ids without a node are left out."""
    return (await session.scalars(select(FunctionNode).where(FunctionNode.id.in_(node_ids)))).all()


@named
async def source(session: AsyncSession, name: str) -> CatalogSource | None:
    return await session.get(CatalogSource, name)


@named
async def source_findings(session: AsyncSession) -> Sequence[tuple[str, list[dict[str, Any]]]]:
    """(name, findings) of every file that was imported."""
    statement = select(CatalogSource.name, CatalogSource.findings).order_by(CatalogSource.name)
    return [(name, findings) for name, findings in await session.execute(statement)]


def _in_parts(node_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """As many as a statement can bind on any engine."""
    for start in range(0, len(node_ids), 500):
        yield node_ids[start : start + 500]
