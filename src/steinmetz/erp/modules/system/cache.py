"""The response cache over HTTP: how it does, what it holds, who dropped what; dropping and warming by hand."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from steinmetz.cache import ResponseCache
from steinmetz.cache.response_cache import Order
from steinmetz.erp.dependencies import writes_as
from steinmetz.erp.errors import Conflict, Unavailable, Unprocessable
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.system.diagnostics import OPERATORS
from steinmetz.erp.modules.system.documents import (
    CacheEntriesAnswer,
    CacheStatsAnswer,
    DroppedDocument,
    InvalidationsAnswer,
    Told,
    WarmedDocument,
    told,
)
from steinmetz.erp.modules.system.routes import Limit, require_operator
from steinmetz.erp.modules.system.schemas import CacheCommandInput, InvalidateInput
from steinmetz.erp.openapi import refuses
from steinmetz.erp.state import state_of
from steinmetz.erp.warming import Warming

router = APIRouter(tags=["cache"])


def cache_of(request: Request) -> ResponseCache:
    """The response cache. Raises `Unavailable` if there is none."""
    cache = state_of(request).cache
    if cache is None:
        raise Unavailable(60, "The cache is switched off (STEINMETZ_CACHE=off).")
    return cache


Cache = Annotated[ResponseCache, Depends(cache_of)]


@router.get("/api/cache/stats", dependencies=OPERATORS, response_model=None, responses=told(CacheStatsAnswer))
async def cache_stats(request: Request, cache: Cache) -> dict[str, Any]:
    """Hits, misses and why, bytes and time saved, needless drops: of this process, in all and by route."""
    return {"success": True, "stats": _stats(request, cache)}


@router.get("/api/cache/entries", dependencies=OPERATORS, response_model=None, responses=told(CacheEntriesAnswer))
async def cache_entries(
    cache: Cache,
    limit: Limit = 50,
    order: Annotated[Order, Query(description="What comes first")] = Order.HITS,
) -> dict[str, Any]:
    """What is kept: keys, ages, sizes and what each answer was computed from; never the answers themselves."""
    return {"success": True, "entries": cache.entries(limit, order=order)}


@router.get(
    "/api/cache/invalidations", dependencies=OPERATORS, response_model=None, responses=told(InvalidationsAnswer)
)
async def cache_invalidations(cache: Cache, limit: Limit = 50) -> dict[str, Any]:
    """The newest invalidations: when, by whom, by which statements; what was dropped, and how much needlessly."""
    return {"success": True, "invalidations": cache.invalidations(limit)}


@router.post(
    "/api/cache/invalidate",
    dependencies=[writes_as(Role.ADMIN)],
    response_model=None,
    responses=told(Told[DroppedDocument]),
)
async def invalidate(cache: Cache, wanted: InvalidateInput) -> dict[str, Any]:
    """Drop answers: of a path with everything below it, of a tag, of a pattern of paths, or all."""
    return {"success": True, "data": {**wanted.model_dump(exclude_defaults=True), "dropped": _drop(cache, wanted)}}


@router.post(
    "/api/cache/warm",
    status_code=202,
    dependencies=[writes_as(Role.ADMIN)],
    response_model=None,
    responses=told(Told[WarmedDocument], 202),
)
@refuses(409)
async def warm(request: Request) -> dict[str, Any]:
    """Compute again, in the background, what is worth most; `GET /api/cache/stats` says how far it is."""
    return {"success": True, "data": {"answers": _warm(request)}}


class Command(StrEnum):
    STATS = "stats"
    ENTRIES = "entries"
    INVALIDATIONS = "invalidations"
    INVALIDATE = "invalidate"
    WARM = "warm"


@router.post("/api/cache/commands/{command}")
@refuses(401, 403, 409)
async def command(
    request: Request,
    command: Annotated[Command, Path(description="What is wanted")],
    cache: Cache,
    wanted: CacheCommandInput,
) -> dict[str, Any]:
    """For `steinmetz cache`: the same for the same machine, or with the metrics token, as /metrics."""
    require_operator(request)
    match command:
        case Command.STATS:
            return {"success": True, "data": _stats(request, cache)}
        case Command.ENTRIES:
            return {"success": True, "data": cache.entries(wanted.limit, order=wanted.order)}
        case Command.INVALIDATIONS:
            return {"success": True, "data": cache.invalidations(wanted.limit)}
        case Command.INVALIDATE:
            dropped = _drop(cache, wanted.drop) if wanted.drop is not None else 0
            return {"success": True, "data": {"dropped": dropped}}
        case Command.WARM:
            return {"success": True, "data": {"answers": _warm(request)}}


def _stats(request: Request, cache: ResponseCache) -> dict[str, Any]:
    warming = state_of(request).warming
    progress = warming.progress if warming is not None else None
    shown = None
    if progress is not None:
        shown = {
            "running": not progress.ended,
            "total": progress.total,
            "kept": progress.kept,
            "failed": progress.failed,
        }
    return {**cache.stats(), "warming": shown}


def _drop(cache: ResponseCache, wanted: InvalidateInput) -> int:
    if wanted.path is not None:
        return cache.invalidate(wanted.path)
    if wanted.tag is not None:
        return cache.invalidate_tags(wanted.tag)
    if wanted.pattern is not None:
        try:
            return cache.invalidate_pattern(wanted.pattern)
        except ValueError as error:
            raise Unprocessable(f"{error}.", "pattern") from None
    return cache.clear()


def _warm(request: Request) -> int:
    warming: Warming | None = state_of(request).warming
    if warming is None:
        raise Unavailable(60, "The cache is switched off (STEINMETZ_CACHE=off).")
    try:
        return warming.begin()
    except RuntimeError as error:
        raise Conflict(f"{str(error).capitalize()}.") from None
