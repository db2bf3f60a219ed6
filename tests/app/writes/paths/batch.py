"""Batch jobs. Only their owner hears of them, so events are held against what only the owner's own lists say."""

from __future__ import annotations

from typing import Any

from tests.app.writes.house import House

JOBS = "/api/batch/jobs"
HEARD = {
    "batch:progress": rf"^{JOBS}\?mine=true$",
    "batch:complete": rf"^{JOBS}\?mine=true$",
    "batch:error": rf"^{JOBS}\?mine=true&status=failed$",
}


async def a_job(house: House, status: str) -> dict[str, Any]:
    row: dict[str, Any] = (await house.data_of(f"{JOBS}?status={status}&limit=1"))[0]
    return row


async def paths(house: House) -> list[str]:
    job = await a_job(house, "done")
    return [
        JOBS,
        f"{JOBS}?mine=true",
        f"{JOBS}?mine=true&status=failed",
        f"{JOBS}?status=running&status=queued",
        f"{JOBS}/{job['id']}",
        f"{JOBS}/{job['id']}/items",
    ]
