"""One node a line; what its parent is, the line says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.formats.jsonl import read_jsonl
from steinmetz.erp.modules.catalog.formats.outline import Outline
from steinmetz.erp.modules.catalog.rules import MAX_LEVELS, Kind


def node(own_id: str, parent_id: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": own_id, "parent_id": parent_id, "title": f"📦 {own_id}", **more}


def read(*nodes: Any) -> tuple[Outline, Findings]:
    findings = Findings()
    lines = [each if isinstance(each, str) else json.dumps(each) for each in nodes]
    return read_jsonl("lager.jsonl", "\n".join(lines).encode(), findings), findings


def shape(outline: Outline) -> list[str]:
    return ["." * entry.depth + entry.title for entry in outline.entries]


def test_the_parent_stands_whatever_else_the_line_says() -> None:
    outline, findings = read(
        node("a/b", "c", path=["a", "b"], depth=1), node("c", depth=0), node("d", "a/b", depth=5), ""
    )
    assert shape(outline) == ["lager.jsonl", ".c", "..a/b", "...d"]
    assert [(each.code, each.line, each.entry) for each in findings.shown] == [(Code.OTHER_DEPTH, 3, 3)]


def test_all_nodes_lie_below_one_that_stands_for_the_file() -> None:
    outline, _ = read(node("a"), node("b"))
    assert [(entry.own_id, entry.kind) for entry in outline.entries] == [
        ("", Kind.CATEGORY),
        ("a", None),
        ("b", None),
    ]


def test_siblings_are_ordered_by_their_order_then_by_line() -> None:
    outline, _ = read(node("c", order=2), node("a", order=1), node("b", order=1), node("z"))
    assert [entry.title for entry in outline.entries[1:]] == ["z", "a", "b", "c"]


def test_icon_and_kind_may_be_said_or_lie_in_the_title() -> None:
    outline, findings = read(node("a", icon="🧾", kind="report"), node("b"), node("c", kind="gadget"))
    assert [(entry.icon, entry.kind) for entry in outline.entries[1:]] == [
        ("🧾", Kind.REPORT),
        ("📦", None),
        ("📦", None),
    ]
    assert [(each.code, each.line) for each in findings.shown] == [(Code.UNKNOWN_KIND, 3)]


DEEP = [node("n0"), *(node(f"n{number}", f"n{number - 1}") for number in range(1, MAX_LEVELS + 1))]


@pytest.mark.parametrize(
    ("nodes", "code", "lines"),
    [
        ([node("a"), node("a")], Code.DUPLICATE_ID, [2]),
        ([node("a", "b"), node("c", "d")], Code.MISSING_PARENT, [1, 2]),
        ([node("a", "b"), node("b", "a"), node("c", "b"), node("d")], Code.CYCLE, [1, 2, 3]),
        ([node("a", "a")], Code.CYCLE, [1]),
        ([node("a"), "{", '{"id": "b"}', "}"], Code.BAD_JSON, [2, 4]),
        (['["a"]', '{"title": "x"}', node(""), '{"id": 7}', node("x" * 300)], Code.BAD_NODE, [1, 2, 3, 4, 5]),
        (
            [node("a", 7), node("b", title=[]), node("c", order="1"), node("d", order=True)],
            Code.BAD_NODE,
            [1, 2, 3, 4],
        ),
        (['{"id": "a", "title": "\\ud800"}', '{"id": "b\\u0000"}'], Code.BAD_JSON, [1, 2]),
        (DEEP, Code.TOO_DEEP, [MAX_LEVELS]),
        ([], Code.NOT_A_CATALOGUE, [0]),
    ],
)
def test_what_would_lose_or_misplace_a_node_refuses_the_file(
    nodes: list[Any], code: Code, lines: list[int]
) -> None:
    outline, findings = read(*nodes)
    assert outline.entries == []
    assert [(each.code, each.line) for each in findings.shown] == [(code, line) for line in lines]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.text(max_size=3), below, max_size=2),
    max_leaves=4,
)
LINES = st.one_of(
    st.text('{}[]":,idnul \\', max_size=20),
    st.dictionaries(st.sampled_from(["id", "parent_id", "title", "order", "kind"]), VALUES).map(json.dumps),
    st.builds(
        lambda own, parent: json.dumps(node(own, parent)),
        st.sampled_from("abcd"),
        st.sampled_from(["a", "b", "c", "d", None]),
    ),
)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.lists(LINES, max_size=8))
def test_no_lines_make_it_raise_or_lose_a_parent(lines: list[str]) -> None:
    outline, findings = read(*lines)
    assert bool(outline.entries) != (findings.first_error is not None)
    for place, entry in enumerate(outline.entries):
        assert entry.parent is None or entry.parent < place
