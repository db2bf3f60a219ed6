"""The shapes of what the diagnostics and the cache tell, for the OpenAPI document and the page's types.

The parts themselves make these documents (`steinmetz.monitor.reports`, `ResponseCache.stats`, ...), so no
answer is built from these classes: they tell its readers what is in it, and tests compare the two.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from steinmetz.erp.kit.answers import PageMark
from steinmetz.erp.kit.schemas import Schema

T = TypeVar("T")


def told(model: Any, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """For ``responses=`` of a route with ``response_model=None``: what its success looks like."""
    return {status: {"model": model}}


class Told(BaseModel, Generic[T]):
    """``{"success": true, "data": ...}`` of a part's own document."""

    success: Literal[True]
    data: T


class ToldList(BaseModel, Generic[T]):
    """The same of a list."""

    success: Literal[True]
    data: list[T]
    page: PageMark


# -- slow queries and plans ---------------------------------------------------------------------------------------


class SlowPartDocument(Schema):
    """One statement of a tracked run."""

    statement: str
    execution_time: float


class SlowDetailsDocument(Schema):
    """A statement has the first half, a tracked run the second, and `slowest` is the first half of one in it."""

    id: str | None = None
    parameters: dict[str, Any]
    statement: str | None = None
    fingerprint: str | None = None
    database: str | None = None
    rows: int | None = None
    sets: int | None = None
    scope: str | None = None
    error: str | None = None
    request_id: str | None = None
    site: str | None = None
    time: dict[str, float] | None = None
    """Milliseconds by `execute`, `fetch`, `driver`, `loopLag`, `poolWait`, as far as they are measured."""
    statement_count: int | None = None
    statements: list[SlowPartDocument] | None = None
    slowest: SlowDetailsDocument | None = None


class SlowQueryDocument(Schema):
    name: str
    execution_time: float
    threshold: float
    timestamp: str
    details: SlowDetailsDocument


class SlowQueriesDocument(Schema):
    success: Literal[True]
    slow_queries: list[SlowQueryDocument]


class PlanDocument(Schema):
    hash: str
    first_seen: str
    last_seen: str
    seen: int
    text: str
    indexes: list[str]
    remarks: list[str]
    tree: dict[str, Any]


class PlansDocument(Schema):
    fingerprint: str
    name: str
    statement: str
    database: str
    refused: str | None
    plans: list[PlanDocument]
    """Newest first."""


class SlowQueryInFullDocument(SlowQueryDocument):
    plans: PlansDocument | None


# -- alerts -------------------------------------------------------------------------------------------------------


class AlertDocument(Schema):
    id: str
    kind: str
    subject: str
    severity: Literal["warning", "critical"]
    state: Literal["active", "resolved"]
    value: float
    threshold: float
    message: str
    since: str
    at: str
    times: int


# -- index advice -------------------------------------------------------------------------------------------------


class GainDocument(Schema):
    """How many times less work; below 1 is more, null not known."""

    estimated: float | None
    verified: float | None
    verified_worst: float | None
    observed: float | None


class EffectDocument(Schema):
    name: str
    fingerprint: str
    statement: str
    calls: int
    total_time: float
    gain: GainDocument


class CreationDocument(Schema):
    name: str
    table: str
    columns: list[str]
    include: list[str]
    where: str | None
    ddl: str
    size_bytes: int
    saved_time: float
    helps: list[EffectDocument]
    slows: list[EffectDocument]
    note: str


class RemovalDocument(Schema):
    name: str
    table: str
    ddl: str
    size_bytes: int
    reason: str


class RejectionDocument(Schema):
    index: str
    reason: str


class NotUnderstoodDocument(Schema):
    name: str
    reason: str


class AdvisedWorkload(Schema):
    statements: int
    calls: int
    parameter_sets: int


class AdviceDocument(Schema):
    made_at: str | None
    engine: str
    verified: bool
    not_verified_because: str | None
    workload: AdvisedWorkload
    candidates: int
    candidates_left_out: int
    saved_share: float
    create: list[CreationDocument]
    drop: list[RemovalDocument]
    rejected: list[RejectionDocument]
    rejected_count: int
    not_understood: list[NotUnderstoodDocument]


class AdviceStep(Schema):
    step: str
    done: int
    total: int


class IndexAdviceDocument(Schema):
    success: Literal[True]
    advice: AdviceDocument | None
    running: AdviceStep | None
    error: str | None
    statements_seen: int


# -- comparisons --------------------------------------------------------------------------------------------------

VerdictWord = Literal["regressed", "improved", "neutral", "undecided", "too_few"]


class SideDocument(Schema):
    count: int
    avg_time: float
    p50: float
    p95: float
    p99: float


class StatementChangeDocument(Schema):
    fingerprint: str
    name: str
    text: str
    writes: bool
    before: SideDocument
    after: SideDocument
    verdict: VerdictWord
    ratio: float
    interval: list[float]
    """From, to: of the ratio of after to before."""
    saved_ms: float


class ChangeDocument(Schema):
    id: str
    at: str
    cause: str
    note: str
    author: str
    ddl: str
    tables: list[str]
    verdict: VerdictWord
    settled: bool
    saved_ms: float
    statements: list[StatementChangeDocument]


# -- the cache ----------------------------------------------------------------------------------------------------


class CachedRouteDocument(Schema):
    route: str
    hits: int
    stale: int
    misses: int
    bypasses: int
    hit_rate: float
    missed_because: dict[str, int]
    collapsed: int
    stored: int
    dropped: int
    needless: int
    unused: int
    bytes_served: int
    saved_ms: float
    leaks: int
    resting: str | None
    pauses: int


class WarmingDocument(Schema):
    running: bool
    total: int
    kept: int
    failed: int


class CacheStatsDocument(Schema):
    enabled: bool
    hits: int
    stale: int
    misses: int
    hit_rate: float
    miss_reasons: dict[str, int]
    bypasses: int
    bypass_reasons: dict[str, int]
    stored: int
    not_stored: int
    not_stored_reasons: dict[str, int]
    let_go: dict[str, int]
    stale_refused: int
    revoked: int
    collapsed: int
    adopted: int
    refreshes: int
    stale_on_error: int
    compared: int
    leaks: int
    not_modified: int
    needless: int
    unused: int
    bytes_served: int
    saved_ms: float
    routes: list[CachedRouteDocument]
    entries: int
    bytes: int
    budget_bytes: int
    evictions: int
    renewed: int
    memoized: int
    memo_hits: int
    memo_computed: int
    admissions: int
    authentications: int
    commits: int
    rollbacks: int
    invalidated: int
    late_commits: int
    cluster: dict[str, Any] | None
    warming: WarmingDocument | None


class CacheStatsAnswer(Schema):
    success: Literal[True]
    stats: CacheStatsDocument


class CacheEntryDocument(Schema):
    key: str
    path: str
    route: str
    variant: str
    bytes: int
    status: int
    hits: int
    cost_ms: float
    saved_ms: float
    age_seconds: int
    ttl_seconds: int
    etag: str
    reads: list[str]


class CacheEntriesAnswer(Schema):
    success: Literal[True]
    entries: list[CacheEntryDocument]


class InvalidationDocument(Schema):
    at: str
    cause: str
    user: str | None
    statements: list[str]
    relations: list[str]
    dropped: int
    needless: int
    routes: dict[str, int]


class InvalidationsAnswer(Schema):
    success: Literal[True]
    invalidations: list[InvalidationDocument]


class DroppedDocument(Schema):
    """What was asked for, and how many answers it dropped."""

    model_config = ConfigDict(extra="allow")

    dropped: int


class WarmedDocument(Schema):
    answers: int
    """That will be computed."""


# -- the process --------------------------------------------------------------------------------------------------


class ReadyDocument(Schema):
    success: Literal[True]
    status: Literal["ready"]
    checks: dict[str, str]


class VersionDocument(Schema):
    success: Literal[True]
    version: str
    db_schema: str = Field(alias="schema")
    python: str
    started_at: datetime
    commit: str | None
