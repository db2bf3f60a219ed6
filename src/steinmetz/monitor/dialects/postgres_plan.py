"""PostgreSQL's plan as it comes in JSON, and what is kept of it: shape, text without values, cost, rows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from steinmetz.monitor.dialects.base import Plan

_LITERAL = re.compile(r"\b[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|(?<![\w$\".])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_CONDITIONS = (
    "Index Cond",
    "Recheck Cond",
    "Filter",
    "Hash Cond",
    "Merge Cond",
    "Join Filter",
    "Sort Key",
    "Group Key",
)
_SHAPE = ("Node Type", "Strategy", "Join Type", "Operation", "Command", "Schema", "Relation Name", "CTE Name",
          "Function Name", "Scan Direction", "Partial Mode", "Subplan Name", "Parent Relationship")  # fmt: skip
_REMOVED = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")


def plan_of(root: Mapping[str, Any], names: Mapping[str, str]) -> Plan:
    """The plan under ``Plan`` in EXPLAIN's JSON; ``names`` are those of hypothetical indexes."""
    shape, lines, used = [], [], set[str]()
    for depth, node in nodes(root):
        told = str(node.get("Index Name", ""))
        index = names.get(told, told)
        if index:
            used.add(index)
        shape.append((depth, *(str(node.get(key, "")) for key in _SHAPE), index))
        lines.append("  " * depth + _line(node, index))
    digest = hashlib.blake2b(repr(shape).encode(), digest_size=8).hexdigest()
    return Plan(hash=digest, text="\n".join(lines), cost=float(root["Total Cost"]), indexes=frozenset(used))


def nodes(root: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Every node with its depth, from the top."""
    yield depth, root
    for child in root.get("Plans", ()):
        yield from nodes(child, depth + 1)


def rows_handled(root: Mapping[str, Any]) -> float:
    """Rows that all nodes gave or threw away in a plan that was run."""
    return sum(
        float(node.get("Actual Loops", 0)) * sum(float(node.get(key, 0)) for key in ("Actual Rows", *_REMOVED))
        for _, node in nodes(root)
    )


def rows_given(root: Mapping[str, Any]) -> int:
    """Rows of the answer; of a write without RETURNING, the rows it changed."""
    top = root
    if root["Node Type"] == "ModifyTable" and root.get("Plans") and not root.get("Actual Rows"):
        top = root["Plans"][0]
    return int(top.get("Actual Rows", 0) * top.get("Actual Loops", 1))


def buffers(root: Mapping[str, Any]) -> float:
    """Pages that a plan that was run asked for, whether they were in memory or not."""
    kinds = ("Shared Hit", "Shared Read", "Local Hit", "Local Read", "Temp Read", "Temp Written")
    return float(sum(root.get(f"{kind} Blocks", 0) for kind in kinds))


def without_values(condition: str) -> str:
    """A condition as EXPLAIN shows it, with ``?`` for every literal."""
    return _LITERAL.sub("?", condition)


def _line(node: Mapping[str, Any], index: str) -> str:
    line = str(node["Node Type"])
    if index:
        line += f" using {index}"
    if relation := node.get("Relation Name") or node.get("CTE Name") or node.get("Function Name"):
        alias = node.get("Alias", relation)
        line += f" on {relation}" + (f" {alias}" if alias != relation else "")
    for key in _CONDITIONS:
        if condition := node.get(key):
            shown = ", ".join(condition) if isinstance(condition, list) else str(condition)
            line += f"; {key}: {without_values(shown)}"
    return line
