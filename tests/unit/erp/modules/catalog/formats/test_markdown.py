"""The tree of a Markdown file: well drawn, half drawn, and hostile."""

from __future__ import annotations

import time
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.erp.modules.catalog.formats.findings import Code, Findings, Severity
from steinmetz.erp.modules.catalog.formats.markdown import read_markdown
from steinmetz.erp.modules.catalog.formats.outline import MAX_NODES, Outline
from steinmetz.erp.modules.catalog.rules import MAX_LEVELS
from tests.unit.erp.modules.catalog.formats.trees import TREES, Tree, depth, drawn, grown


def outline_of(text: str) -> tuple[Outline, Findings]:
    findings = Findings()
    return read_markdown("lager", dedent(text).encode(), findings), findings


def shape(text: str) -> list[str]:
    """Each node as its depth in dots and its title."""
    outline, findings = outline_of(text)
    assert findings.first_error is None
    return ["." * entry.depth + entry.title for entry in outline.entries]


def told(text: str) -> list[tuple[Code, int]]:
    return [(each.code, each.line) for each in outline_of(text)[1].shown]


def test_a_tree_that_lost_its_indentation_is_brought_back() -> None:
    """The mark of a last child's level is not written below it: its children look like siblings."""
    text = """\
        ## 📦 LAGER

        ├── 🏷️ Bestand
        │ ├── 📋 Zählung
        │ │ ├── 📅 Stichtag
        │ │ └── 🔄 Laufend
        │ └── 🚨 Warnungen
        │ ├── 🔴 Mindestbestand
        │ │ ├── 📊 Artikel
        │ │ └── 👥 Einkäufer
        │ └── 🟡 Haltbarkeit
        │ ├── 📅 Abgelaufen
        │ └── 📆 Läuft ab
        └── 🚚 Versand
        ├── 📤 Ausgang
        │ └── 🧾 Lieferschein
        │ └── 🖨️ Druck
        └── 📥 Eingang
    """
    assert shape(text) == [
        "LAGER",
        ".Bestand",
        "..Zählung",
        "...Stichtag",
        "...Laufend",
        "..Warnungen",
        "...Mindestbestand",
        "....Artikel",
        "....Einkäufer",
        "...Haltbarkeit",
        "....Abgelaufen",
        "....Läuft ab",
        ".Versand",
        "..Ausgang",
        "...Lieferschein",
        "....Druck",
        "..Eingang",
    ]
    assert told(text) == []


def test_branches_may_be_of_ascii_strokes() -> None:
    assert shape("## A\n├-- Eins\n│ └-- Zwei\n└--Drei") == ["A", ".Eins", "..Zwei", ".Drei"]


@pytest.mark.parametrize("branch", ["├️⃣ ", "├️ ", "├ ", "├─ ", "├─── ", "├- ", "├— ", "├️", "├"])
def test_a_malformed_branch_is_a_finding_and_its_title_still_a_node(branch: str) -> None:
    text = f"## A\n├── 🎯 Eins\n│ {branch}⏱️ Zwei\n│ └── Drei"
    outline, findings = outline_of(text)
    assert outline.malformed == 1
    assert [(entry.icon, entry.title, entry.depth) for entry in outline.entries[1:]] == [
        ("🎯", "Eins", 1),
        ("⏱️", "Zwei", 2),
        ("", "Drei", 2),
    ]
    (found,) = findings.shown
    assert (found.code, found.severity, found.line, found.entry) == (Code.MALFORMED_BRANCH, Severity.WARNING, 3, 2)
    assert "Zwei" in found.text


def test_a_malformed_last_branch_is_a_last_child_still() -> None:
    assert shape("## A\n└️⃣ Eins\n└── Zwei") == ["A", ".Eins", "..Zwei"]


def test_several_headings_are_several_areas() -> None:
    assert shape("## A\n└── Eins\n## B\n├── Zwei") == ["A", ".Eins", "B", ".Zwei"]


@pytest.mark.parametrize(
    ("text", "nodes", "findings"),
    [
        ("├── Eins\n## A\n├── Zwei", ["lager", ".Eins", "A", ".Zwei"], [(Code.NO_HEADING, 1)]),
        ("## A\n│ │ ├── Eins\n├── Zwei", ["A", ".Eins", ".Zwei"], [(Code.DEPTH_JUMP, 2)]),
        ("## A\n├── 1\n│ │ │ ├── 2\n│ ├── 3", ["A", ".1", "..2", "..3"], [(Code.DEPTH_JUMP, 3)]),
        ("## A\n├── Eins\n- Text\n### Klein", ["A", ".Eins"], [(Code.UNREAD_LINE, 3), (Code.UNREAD_LINE, 4)]),
        ("## A\n├── Eins\n# Groß\n> ├── x", ["A", ".Eins"], [(Code.UNREAD_LINE, 3), (Code.UNREAD_LINE, 4)]),
        ("## A\n├──\tEins\n│\u00a0├── Zwei", ["A", ".Eins", "..Zwei"], [(Code.ODD_BLANK, 2), (Code.ODD_BLANK, 3)]),
        ("## A\n├── \n│ ├── Eins", ["A", ".Ohne Titel", "..Eins"], [(Code.NO_TITLE, 2)]),
        ("##\n├── Eins", ["Ohne Titel", ".Eins"], [(Code.NO_TITLE, 1)]),
        ("## A\n├── B\u202e\u0007", ["A", ".B"], [(Code.CONTROL_CHARACTER, 2)]),
        ("## A", ["A"], []),
    ],
)
def test_odd_lines_are_told_and_lose_no_node(
    text: str, nodes: list[str], findings: list[tuple[Code, int]]
) -> None:
    assert shape(text) == nodes
    assert told(text) == findings


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("", Code.NOT_A_CATALOGUE, 0),
        ("# Readme\n\n## Install\n\nrun it\n", Code.NOT_A_CATALOGUE, 0),
        ("## A\n" + "└── n\n" * MAX_LEVELS, Code.TOO_DEEP, MAX_LEVELS + 1),
        ("## A\n" + "├── n\n" * MAX_NODES, Code.TOO_MANY_NODES, MAX_NODES + 1),
        ("## A\n├── \x00", Code.NUL_BYTE, 2),
        ("## A\n├── " + "n" * 20_000, Code.LONG_LINE, 2),
    ],
    ids=lambda value: value if isinstance(value, Code) else None,
)
def test_what_cannot_go_in_as_a_whole_is_refused(text: str, code: Code, line: int) -> None:
    outline, findings = outline_of(text)
    assert outline.entries == []
    assert findings.first_error is not None
    assert (findings.first_error.code, findings.first_error.line) == (code, line)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(
    TREES.filter(lambda tree: depth(tree) <= MAX_LEVELS),
    st.sampled_from([("│   ", "    "), ("│ ", ""), ("│", ""), ("│ ", " ")]),
    st.sampled_from(["──", "--"]),
)
def test_a_drawn_tree_reads_back_as_itself(area: Tree, hand: tuple[str, str], stroke: str) -> None:
    findings = Findings()
    text = drawn(area, mark=hand[0], lost=hand[1], stroke=stroke)
    assert grown(read_markdown("x", text.encode(), findings)) == [area]
    assert findings.shown == []


SIGNS = ["│ ", "├── ", "└── ", "├️⃣ ", "├", "└", "## ", "📦", "👩\u200d", "Titel"]
PIECES = st.sampled_from([*SIGNS, "\n", "\r\n", "\t", "\u00a0", "\ufeff"])
DRAWN = st.lists(PIECES, max_size=60).map(lambda parts: "".join(parts).encode())


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=400), DRAWN))
def test_no_bytes_make_it_raise_or_lose_a_parent(data: bytes) -> None:
    findings = Findings()
    outline = read_markdown("x", data, findings)
    assert bool(outline.entries) != (findings.first_error is not None)
    for place, entry in enumerate(outline.entries):
        assert entry.parent is None or entry.parent < place
        assert entry.depth == (0 if entry.parent is None else outline.entries[entry.parent].depth + 1)
        assert entry.depth < MAX_LEVELS


@pytest.mark.parametrize(
    "line",
    [
        "│ │ │ ├── 📦 Titel\n",
        "│" * 2_000 + "\n",
        "├" + "-" * 2_000 + "\n",
        "## " + "👩\u200d" * 500 + "\n",
        "├── a\n│ ├── b\n",
    ],
    ids=["branches", "marks", "strokes", "joiners", "up and down"],
)
def test_twice_as_many_lines_take_about_twice_as_long(line: str) -> None:
    def cpu_s(lines: int) -> float:
        data = (f"## A\n{line * lines}").encode()
        best = float("inf")
        for _ in range(3):
            begun = time.process_time()
            read_markdown("x", data, Findings())
            best = min(best, time.process_time() - begun)
        return best

    few, many = cpu_s(100), cpu_s(1_600)
    assert many <= 16 * 6 * few + 0.05, (few, many)
