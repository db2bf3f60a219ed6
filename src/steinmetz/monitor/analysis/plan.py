"""How a statement is carried out: SQLite's and PostgreSQL's plans read into one tree, with remarks.

Nothing of a plan is passed on but what is named here: both engines quote parameters in their conditions, so those
are read by `steinmetz.sql.shape`, which leaves no literal standing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from steinmetz.sql.shape import Shape, shape_of

BIG_TABLE = 1_000
"""Rows from which reading all of a table is worth a remark."""
BAD_ESTIMATE = 10
"""Times that a real number of rows may be off the estimate before it is worth one."""
LARGE_INNER = 1_000
"""Rows read anew for each outer row, or in all passes together, that make a nested loop remarkable."""
NODES_READ = 400
LONGEST_CONDITION = 300

_EXPLAINABLE = frozenset({"select", "values", "with", "insert", "update", "delete", "replace", "merge", "table"})


@dataclass(frozen=True, slots=True)
class PlanNode:
    """One step of a plan.

    ``operation`` is the engine's word for it, ``relation`` the table (SQLite: or its alias), ``condition`` what is
    asked of the index or the rows, without values. ``rows`` and ``cost`` are the planner's estimates in its own
    unit, ``actual_rows`` what really came where the plan was run. ``remark`` says what is wrong with it, if
    anything.
    """

    operation: str
    relation: str = ""
    index: str = ""
    condition: str = ""
    rows: float | None = None
    cost: float | None = None
    actual_rows: float | None = None
    remark: str = ""
    children: tuple[PlanNode, ...] = ()

    def walk(self) -> Iterator[PlanNode]:
        """This step and all below it, top down."""
        yield self
        for child in self.children:
            yield from child.walk()

    def hash(self) -> str:
        """16 hexadecimal digits, equal for equal shapes: steps, relations, indexes and what is asked of them; no
        costs, no values."""
        return hashlib.blake2b("\n".join(self._shape(0)).encode(), digest_size=8).hexdigest()

    def _shape(self, depth: int) -> Iterator[str]:
        asked = self.condition if self.index else ""
        yield f"{depth} {self.operation} {self.relation} {self.index} {asked}"
        for child in self.children:
            yield from child._shape(depth + 1)

    def text(self, depth: int = 0) -> str:
        """The tree as people read it, one step a line."""
        words = [self.operation]
        if self.relation:
            words.append(f"of {self.relation}")
        if self.index:
            words.append(f"by {self.index}")
        if self.condition:
            words.append(self.condition)
        if self.rows is not None:
            words.append(f"[{self.rows:g} rows expected]")
        if self.remark:
            words.append(f"-- {self.remark}")
        lines = ["  " * depth + " ".join(words), *(child.text(depth + 1) for child in self.children)]
        return "\n".join(lines)

    def indexes(self) -> frozenset[str]:
        return frozenset(node.index for node in self.walk() if node.index)

    def remarks(self) -> list[str]:
        """What is wrong, each once."""
        return list(dict.fromkeys(node.remark for node in self.walk() if node.remark))

    def as_dict(self) -> dict[str, Any]:
        """JSON for the endpoint; what is empty is left out."""
        said: dict[str, Any] = {
            "operation": self.operation, "relation": self.relation, "index": self.index,
            "condition": self.condition, "rows": self.rows, "cost": self.cost, "actualRows": self.actual_rows,
            "remark": self.remark,
        }  # fmt: skip
        shown = {name: value for name, value in said.items() if value not in ("", None)}
        if self.children:
            shown["children"] = [child.as_dict() for child in self.children]
        return shown


def why_not(shape: Shape) -> str | None:
    """Why a statement of this shape is not to be explained; None if it may be."""
    if shape.several:
        return "it is several statements at once"
    if shape.head not in _EXPLAINABLE:
        return f"{shape.head.upper() or 'an empty text'} has no plan"
    if shape.text.endswith("…"):
        return "it cannot be told where its literals end"
    return None


# SQLite


_ACCESS = re.compile(
    r"(?P<operation>SCAN|SEARCH) (?:TABLE )?(?P<relation>\S+)(?: AS \S+)?"
    r"(?: USING (?P<kind>AUTOMATIC )?(?:PARTIAL )?(?P<covering>COVERING )?(?:INDEX (?P<index>\S+)|"
    r"(?P<key>INTEGER PRIMARY KEY|PRIMARY KEY)))?"
    r"(?: USING (?P<automatic>AUTOMATIC) .*?INDEX)?(?: \((?P<condition>.*)\))?(?P<rest>.*)"
)

_NAMED = re.compile(r"(?:CO-ROUTINE|MATERIALIZE) (\w+)")
_WORD = re.compile(r"[A-Z]+(?:-[A-Z]+)*")


def of_sqlite(rows: Iterable[Sequence[Any]], sizes: Mapping[str, int] | None = None) -> PlanNode:
    """The plan in the rows (id, parent, _, detail) of EXPLAIN QUERY PLAN; ``sizes`` are rows by table."""
    below: dict[int, list[tuple[int, str]]] = {}
    for number, (id_, parent, _, detail) in enumerate(rows):
        if number < NODES_READ:
            below.setdefault(int(parent), []).append((int(id_), str(detail)))

    def children(parent: int, depth: int) -> tuple[PlanNode, ...]:
        steps = below.pop(parent, []) if depth < NODES_READ else []
        made = [(_sqlite_node(detail, sizes or {}), id_) for id_, detail in steps]
        return tuple(_with(node, children=children(id_, depth + 1)) for node, id_ in made)

    top = children(0, 0)
    return top[0] if len(top) == 1 else PlanNode("QUERY", children=top)


def _sqlite_node(detail: str, sizes: Mapping[str, int]) -> PlanNode:
    if "CONSTANT ROW" in detail:
        return PlanNode("SCAN CONSTANT ROWS")
    if "VIRTUAL TABLE INDEX" in detail:  # what follows is the module's own, values and all
        found = _ACCESS.match(detail)
        return PlanNode("SCAN VIRTUAL TABLE", relation=found["relation"] if found is not None else "")
    match = _ACCESS.match(detail)
    if match is None:
        remark = ""
        if "USE TEMP B-TREE" in detail:
            remark = f"sorts in a temporary b-tree ({_after('FOR', detail)})"
        named = _NAMED.match(detail)
        words = " ".join(word for word in detail.split() if _WORD.fullmatch(word))
        return PlanNode(words, relation=named[1] if named is not None else "", remark=remark)
    relation = match["relation"]
    automatic = "AUTOMATIC" in detail
    index = match["index"] or ("" if automatic else (match["key"] or "").lower())
    remark = ""
    if automatic:
        index = "automatic index"
        remark = f"builds an index on {relation} for this run alone"
    elif match["operation"] == "SCAN" and not match["key"]:
        size = sizes.get(relation)
        if size is not None and size >= BIG_TABLE:
            what = f"all of index {index}" if index else f"all of {relation}"
            remark = f"reads {what} ({size} rows)"
    return PlanNode(
        match["operation"], relation, index, _without_literals(match["condition"] or ""), remark=remark
    )


def _after(word: str, detail: str) -> str:
    return _without_literals(detail.partition(f"{word} ")[2]).replace(" ?", "").lower()


# PostgreSQL


def of_postgres(plan: Mapping[str, Any], sizes: Mapping[str, int] | None = None) -> PlanNode:
    """The plan in the object ``Plan`` of EXPLAIN (FORMAT JSON); ``sizes`` are rows by table."""
    return _postgres_node(plan, sizes or {}, [NODES_READ])


def _postgres_node(plan: Mapping[str, Any], sizes: Mapping[str, int], left: list[int]) -> PlanNode:
    left[0] -= 1
    children = tuple(_postgres_node(child, sizes, left) for child in plan.get("Plans", ()) if left[0] > 0)
    words = [str(plan.get("Strategy", "")), str(plan.get("Node Type", "?")), str(plan.get("Join Type", ""))]
    operation = " ".join(word for word in words if word not in ("", "Plain", "Inner"))
    if plan.get("Operation"):
        operation = f"{operation} {plan['Operation']}"
    condition = next((plan[name] for name in _CONDITIONS if isinstance(plan.get(name), str)), "")
    keys = plan.get("Sort Key") or plan.get("Group Key") or ()
    if not condition and isinstance(keys, list):
        condition = f"({', '.join(map(str, keys))})" if keys else ""
    node = PlanNode(
        operation,
        relation=str(plan.get("Relation Name") or plan.get("CTE Name") or ""),
        index=str(plan.get("Index Name", "")),
        condition=_without_literals(condition),
        rows=_number(plan.get("Plan Rows")),
        cost=_number(plan.get("Total Cost")),
        actual_rows=_number(plan.get("Actual Rows")),
        children=children,
    )
    return _with(node, remark=_postgres_remark(plan, node, sizes))


_CONDITIONS = ("Index Cond", "Recheck Cond", "Hash Cond", "Merge Cond", "Join Filter", "Filter")


def _postgres_remark(plan: Mapping[str, Any], node: PlanNode, sizes: Mapping[str, int]) -> str:
    kind = plan.get("Node Type")
    size = sizes.get(node.relation)
    if kind == "Seq Scan" and size is not None and size >= BIG_TABLE and plan.get("Filter"):
        return f"reads all of {node.relation} ({size} rows) for {_count(node.rows)} of them"
    if plan.get("Sort Space Type") == "Disk" or str(plan.get("Sort Method", "")).startswith("external"):
        return "sorts on disk: the rows do not fit into work_mem"
    if kind == "Nested Loop" and len(node.children) > 1:
        outer, inner = node.children[0], node.children[1]
        passes = outer.rows or 1
        read = next((part for part in inner.walk() if part.operation == "Seq Scan"), None)
        if read is not None and passes > 1:
            rows = sizes.get(read.relation) or read.rows or 0
            if rows * passes >= LARGE_INNER * 10 and rows >= LARGE_INNER / 10:
                return f"reads all of {read.relation} again for each of {_count(passes)} rows"
    if node.actual_rows is not None and node.rows is not None:
        more, less = max(node.actual_rows, node.rows), max(1.0, min(node.actual_rows, node.rows))
        if more / less >= BAD_ESTIMATE and more >= BAD_ESTIMATE * 10:
            return f"{_count(node.actual_rows)} rows came where {_count(node.rows)} were expected"
    return ""


def _count(rows: float | None) -> str:
    return "?" if rows is None else f"{rows:.0f}"


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _with(node: PlanNode, *, remark: str | None = None, children: tuple[PlanNode, ...] | None = None) -> PlanNode:
    return replace(
        node,
        remark=node.remark if remark is None else remark,
        children=node.children if children is None else children,
    )


def _without_literals(condition: str) -> str:
    """A condition as the engine prints it, each literal a question mark."""
    if not condition:
        return ""
    text = shape_of(condition).text
    return text if len(text) <= LONGEST_CONDITION else text[: LONGEST_CONDITION - 1] + "…"
