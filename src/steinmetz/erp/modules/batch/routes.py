"""Jobs and their items over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api/batch/jobs", tags=["batch"])
