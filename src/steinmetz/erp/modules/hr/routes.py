"""Departments, employees, their time and their leave over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(prefix="/api", tags=["hr"])
