"""Reads the node trees that PostgreSQL keeps of analysed statements (functions with BEGIN ATOMIC, rules).

The tree is the server's own understanding: which relations a statement reads and which it writes, which columns
its author must be allowed to see, and whether children are meant. Only the few fields that tell so are looked at;
their names are those of ``src/include/nodes/parsenodes.h`` since PostgreSQL 14. Where a field is missing (16 has
moved the columns), less is known, never something wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from steinmetz.sql.analysis import Analysis, Event

# A backslash hides the letter after it, so that no name can look like a node.
_TOKEN = re.compile(
    r"\\. | \{(?P<node>[A-Z]+) | (?P<end>\}) | :(?P<field>commandType|resultRelation|rtekind|relid|relkind|inh"
    r"|requiredPerms|selectedCols|updatedCols|action)\ (?P<value>\(b[\d\ ]*\)|[\w-]+)(?=[\ })])",
    re.VERBOSE | re.DOTALL,
)
_ENTRY = "RANGETBLENTRY"
_COMMANDS = {"2": Event.UPDATE, "3": Event.INSERT, "4": Event.DELETE}
_SELECT = 2
_WHOLE_ROW = 7  # pg_attribute.attnum + 7; what is below are system columns, which change with every write


class Unreadable(ValueError):  # noqa: N818  it is a finding, not a fault
    """The text is no node tree that this module understands."""


@dataclass(slots=True)
class _Node:
    kind: str
    fields: dict[str, str] = field(default_factory=dict)
    entries: list[dict[str, str]] = field(default_factory=list)  # of a QUERY
    merges: list[str] = field(default_factory=list)
    updates_on_conflict: bool = False


def analysis_of(tree: str) -> Analysis:
    """Read the text of a pg_node_tree, about 0.3 µs a node.

    Raises `Unreadable` for anything else.
    """
    analysis = Analysis()
    for query in _queries(tree):
        _add(analysis, query)
    return analysis


def _queries(tree: str) -> Iterator[_Node]:
    open_nodes: list[_Node] = []
    found = False
    for match in _TOKEN.finditer(tree):
        if match["node"]:
            open_nodes.append(_Node(match["node"]))
        elif match["field"]:
            if not open_nodes:
                raise Unreadable("a field outside any node")
            open_nodes[-1].fields.setdefault(match["field"], match["value"])
        elif match["end"]:
            if not open_nodes:
                raise Unreadable("a node ends that has not begun")
            node = open_nodes.pop()
            if node.kind == "QUERY":
                found = True
                yield node
                continue
            query = next((each for each in reversed(open_nodes) if each.kind == "QUERY"), None)
            if query is None:
                continue
            if node.kind == _ENTRY:
                query.entries.append(node.fields)
            elif node.kind == "MERGEACTION":
                query.merges.append(node.fields.get("commandType", ""))
            elif node.kind == "ONCONFLICTEXPR":
                query.updates_on_conflict = node.fields.get("action") != "1"
    if open_nodes or not found:
        raise Unreadable("no whole query in it")


def _add(analysis: Analysis, query: _Node) -> None:
    result = int(query.fields.get("resultRelation", "0"))
    events = set(_events(query))
    for number, entry in enumerate(query.entries, 1):
        if entry.get("rtekind") != "0" or "relid" not in entry:
            continue
        oid = int(entry["relid"])
        alone = entry.get("inh") == "false"
        permissions = int(entry.get("requiredPerms", _SELECT))
        if number == result:
            if not events:
                raise Unreadable("a result of no known command")
            inherits = not alone or events == {Event.INSERT}  # an INSERT goes to the partitions all the same
            (analysis.writes if inherits else analysis.writes_alone).update((event, oid) for event in events)
            if Event.UPDATE in events:
                _note(analysis.assigned, oid, entry.get("updatedCols"))
            if permissions & _SELECT == 0:
                continue
            alone = not inherits
        elif permissions == 0 or entry.get("relkind") == "c":
            continue  # OLD and NEW of a rule, EXCLUDED of an INSERT
        (analysis.reads_alone if alone else analysis.reads).add(oid)
        _note(analysis.columns, oid, entry.get("selectedCols"))


def _events(query: _Node) -> Iterator[Event]:
    command = query.fields.get("commandType", "")
    if query.merges:
        yield from (_COMMANDS[each] for each in query.merges if each in _COMMANDS)
        if not any(each in _COMMANDS for each in query.merges):
            yield Event.UPDATE  # DO NOTHING only
    elif command in _COMMANDS:
        yield _COMMANDS[command]
        if query.updates_on_conflict:
            yield Event.UPDATE


def _note(columns: dict[int, set[int] | None], oid: int, bitmap: str | None) -> None:
    numbers = None if bitmap is None else [int(number) for number in bitmap[2:-1].split()]
    known = columns.setdefault(oid, set())
    if numbers is None or any(number <= _WHOLE_ROW for number in numbers):
        columns[oid] = None
    elif known is not None:
        known.update(number - _WHOLE_ROW for number in numbers)
