"""A rules file: JSON, JSON with stray backslashes, or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.erp.modules.catalog.formats.findings import Code, Findings, Severity
from steinmetz.erp.modules.catalog.formats.rules import is_rules_file, read_rules


def read(text: str) -> tuple[dict[str, Any] | None, Findings]:
    findings = Findings()
    return read_rules(text.encode(), findings), findings


def found(findings: Findings) -> list[tuple[Code, int, str]]:
    return [(each.code, each.line, each.text) for each in findings.shown]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("_0_REGELN.md", True), ("_0_regeln.jsonl", True), ("_0_REGELN alt.json", True), ("REGELN.md", False)],
)
def test_a_rules_file_is_known_by_its_name(name: str, is_one: bool) -> None:
    assert is_rules_file(name) is is_one


def test_stray_backslashes_are_dropped_and_told() -> None:
    text = '{\n"version": 1,\n"pattern": "^##\\\\s\\*(.+)\\_$",\n"words": \\["a\\"b", "\\u00e4"\\]\n}'
    document, findings = read(text)
    assert document == {"version": 1, "pattern": "^##\\s*(.+)_$", "words": ['a"b', "ä"]}
    assert [each for each in found(findings) if each[0] is Code.STRAY_ESCAPE] == [
        (Code.STRAY_ESCAPE, 3, "\\*"),
        (Code.STRAY_ESCAPE, 3, "\\_"),
        (Code.STRAY_ESCAPE, 4, "\\["),
        (Code.STRAY_ESCAPE, 4, "\\]"),
    ]


def test_a_fence_around_the_json_is_no_part_of_it() -> None:
    assert read('```json\n{"maxDepth": 4}\n```\n')[0] == {"maxDepth": 4}


def test_what_is_never_applied_is_told_with_its_line() -> None:
    document, findings = read(
        """{
        "pruneBeyondMax": true,
        "idPolicy": {"idCase": "snake", "slug": {"dedupe": false}},
        "order": {
            "strategy": "weightThenAlpha",
            "overflowGroupTitle": "Mehr"
        },
        "kinds": {"allowed": ["group", "gadget"]},
        "validation": {"requireRBAC": true},
        "pii": {}
        }"""
    )
    assert document is not None
    assert [(code, line) for code, line, _ in found(findings)] == [
        (Code.NOT_APPLIED, line) for line in (2, 5, 6, 3, 3, 8, 9, 0)
    ]
    assert {each.severity for each in findings.shown} == {Severity.INFO}
    assert "gadget" in findings.shown[5].reason
    assert "requireRBAC" in findings.shown[6].reason
    assert "pii" in findings.shown[7].reason


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        ('{"a": 1,\n"b": }', 2, "Expecting value"),
        ("[1]", 0, "object in braces"),
        ('{"maxDepth": 0}', 0, "maxDepth"),
        ('{"kinds": {"default": "gadget"}}', 0, "kinds.default"),
        ('{"emojiAsKind": true, "emojiKindMap": {"x": "gadget"}}', 0, "emojiKindMap.x"),
        ('{"order": null}', 0, "order"),
        ('{"a": "\\u0000"}', 0, "NUL"),
        ("", 1, "Expecting value"),
        ("\n\n", 2, "Expecting value"),
        (('["' + "x" * 9_000 + '",\n') * 20, 0, "characters"),
    ],
)
def test_rules_that_cannot_be_used_are_refused(text: str, line: int, named: str) -> None:
    document, findings = read(text)
    assert document is None
    assert findings.first_error is not None
    assert (findings.first_error.code, findings.first_error.line) == (Code.BAD_RULES, line)
    assert named in findings.first_error.reason


@settings(derandomize=True, max_examples=150)
@given(st.one_of(st.text('{}[]":,\\*_u0n1a \n', max_size=60), st.text(max_size=60)))
def test_no_text_makes_it_raise(text: str) -> None:
    document, findings = read(text)
    assert (document is None) == (findings.first_error is not None)


@settings(derandomize=True, max_examples=100)
@given(st.recursive(st.none() | st.booleans() | st.text(max_size=5), lambda below: st.lists(below, max_size=3)))
def test_json_as_it_is_comes_through_unchanged(value: Any) -> None:
    text = json.dumps({"mine": value}, indent=1)
    if "\\u0000" in text or "\\ud" in text:
        return
    document, findings = read(text)
    assert document == {"mine": value}
    assert Code.STRAY_ESCAPE not in findings.counts
