"""One node a line, as JSON: ``{"id", "parent_id", "title", "order"?, "icon"?, "kind"?}``.

``parent_id`` stands, whatever the id, a depth or a path in the line say. The ids are names of this file alone: all
its nodes lie below one node that is made for the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.formats.json_text import read_json
from steinmetz.erp.modules.catalog.formats.lines import lines_of
from steinmetz.erp.modules.catalog.formats.outline import MAX_NODES, Entry, Outline
from steinmetz.erp.modules.catalog.formats.titles import MAX_ICON, title_of
from steinmetz.erp.modules.catalog.rules import MAX_ID, MAX_LEVELS, Kind


@dataclass(frozen=True, slots=True)
class _Node:
    line: int
    id: str
    parent_id: str | None
    title: str
    order: float
    icon: str
    kind: str | None
    said_depth: int | None


def read_jsonl(name: str, data: bytes, findings: Findings) -> Outline:
    """The outline of the file below a node called ``name``; empty if the file is refused."""
    nodes: dict[str, _Node] = {}
    for number, line in enumerate(lines_of(data, findings), 1):
        if line.strip() and (node := _read(number, line, findings)) is not None:
            first = nodes.setdefault(node.id, node)
            if first is not node:
                findings.error(Code.DUPLICATE_ID, number, f"The id stands in line {first.line} already.", node.id)
    if not nodes and findings.first_error is None:
        findings.error(Code.NOT_A_CATALOGUE, 0, "There is no node in the file.")
    if len(nodes) > MAX_NODES:
        findings.error(Code.TOO_MANY_NODES, 0, f"A file has at most {MAX_NODES} nodes. Divide it.")
    if findings.first_error is not None:  # of a node that was not read, its children would be told too
        return Outline()
    children = _children(nodes, findings)
    if findings.first_error is not None:
        return Outline()
    return _outline(name, nodes, children, findings)


def _read(number: int, line: str, findings: Findings) -> _Node | None:
    try:
        value = read_json(line)
    except ValueError as error:
        findings.error(Code.BAD_JSON, number, f"This is no JSON: {error}.", line)
        return None
    try:
        return _node(number, value)
    except ValueError as error:
        findings.error(Code.BAD_NODE, number, f"This is no node: {error}.", line)
        return None


def _node(number: int, value: Any) -> _Node:
    """Raises `ValueError`."""
    if not isinstance(value, dict):
        raise ValueError("it is not an object in braces")
    own_id = _word(value, "id", MAX_ID)
    if not own_id:
        raise ValueError("it has no id")
    order, depth = value.get("order", 0), value.get("depth")
    if type(order) not in (int, float):
        raise ValueError("its order is not a number")
    return _Node(
        line=number,
        id=own_id,
        parent_id=_word(value, "parent_id", MAX_ID),
        title=_word(value, "title", None) or "",
        order=order,
        icon=(_word(value, "icon", MAX_ICON) or "").strip(),
        kind=_word(value, "kind", None),
        said_depth=depth if type(depth) is int else None,
    )


def _word(value: dict[str, Any], name: str, most: int | None) -> str | None:
    word = value.get(name)
    if word is None:
        return None
    if not isinstance(word, str):
        raise ValueError(f"its {name} is not a text")
    if most is not None and len(word) > most:
        raise ValueError(f"its {name} has {len(word)} characters; {most} are allowed")
    return word


def _children(nodes: dict[str, _Node], findings: Findings) -> dict[str | None, list[_Node]]:
    """The children of each node in order; tells of parents that there are not, and of circles."""
    children: dict[str | None, list[_Node]] = {}
    for node in nodes.values():
        if node.parent_id is not None and node.parent_id not in nodes:
            findings.error(
                Code.MISSING_PARENT, node.line, "No line of the file has the id of its parent.", node.parent_id
            )
        children.setdefault(node.parent_id, []).append(node)
    for siblings in children.values():
        siblings.sort(key=lambda node: (node.order, node.line))
    reached: set[str] = set()
    waiting = [node for parent_id, siblings in children.items() if parent_id not in nodes for node in siblings]
    while waiting:
        node = waiting.pop()
        reached.add(node.id)
        waiting.extend(children.get(node.id, ()))
    for node in nodes.values():
        if node.id not in reached:
            findings.error(Code.CYCLE, node.line, "It lies below itself, or below a node that does.", node.id)
    return children


def _outline(
    name: str, nodes: dict[str, _Node], children: dict[str | None, list[_Node]], findings: Findings
) -> Outline:
    entries = [Entry(0, None, 0, "", title_of(name, 0, 0, findings).title, own_id="", kind=Kind.CATEGORY)]
    waiting: list[tuple[_Node, int, int]] = [(node, 0, 1) for node in reversed(children.get(None, ()))]
    while waiting:
        node, parent, depth = waiting.pop()
        if depth >= MAX_LEVELS:
            reason = f"It lies on level {depth + 1}; the tree has at most {MAX_LEVELS}."
            findings.error(Code.TOO_DEEP, node.line, reason, node.title)
            continue
        place = len(entries)
        icon, title = title_of(node.title, node.line, place, findings)
        if node.said_depth not in (None, depth - 1):
            reason = f"It says depth {node.said_depth}; by its parent it is {depth - 1}, and that stands."
            findings.note(Code.OTHER_DEPTH, node.line, reason, node.id, place)
        kind = None
        if node.kind is not None:
            kind = Kind(node.kind) if node.kind in set(Kind) else None
            if kind is None:
                reason = "There is no such kind; it gets one by the rules."
                findings.warn(Code.UNKNOWN_KIND, node.line, reason, node.kind, place)
        entries.append(Entry(node.line, parent, depth, node.icon or icon, title, node.id, kind))
        waiting.extend((child, place, depth + 1) for child in reversed(children.get(node.id, ())))
    return Outline() if findings.first_error is not None else Outline(entries)
