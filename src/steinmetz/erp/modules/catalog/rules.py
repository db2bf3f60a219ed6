"""Kinds of nodes and the rules of the tree; pure."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    CATEGORY = "category"
    GROUP = "group"
    RECORD = "record"
    WORKFLOW = "workflow"
    REPORT = "report"
    DATASET = "dataset"
    ITEM = "item"
