"""Findings are bounded and printable, and all of them are counted."""

from __future__ import annotations

from steinmetz.erp.modules.catalog.formats.findings import (
    MAX_REASON,
    MAX_SHOWN,
    MAX_TEXT,
    Code,
    Findings,
    Severity,
)


def test_of_each_code_so_many_are_shown_and_all_are_counted() -> None:
    findings = Findings()
    for line in range(MAX_SHOWN + 7):
        findings.warn(Code.ODD_BLANK, line, "blank")
    findings.note(Code.OVERFLOW, 1, "crowd")
    assert len(findings.shown) == MAX_SHOWN + 1
    assert findings.counts == {Code.ODD_BLANK: MAX_SHOWN + 7, Code.OVERFLOW: 1}
    assert findings.first_error is None


def test_the_first_error_is_shown_whatever_came_before() -> None:
    findings = Findings()
    for line in range(MAX_SHOWN + 1):
        findings.warn(Code.TOO_DEEP, line, "deep")
    findings.error(Code.TOO_DEEP, 500, "first")
    findings.error(Code.TOO_DEEP, 501, "second")
    assert findings.first_error is findings.shown[-1]
    assert (findings.shown[-1].line, findings.shown[-1].severity) == (500, Severity.ERROR)


def test_texts_are_cut_and_can_be_printed() -> None:
    findings = Findings()
    findings.warn(Code.UNREAD_LINE, 1, "r" * 1000, "a\x00\x1b\n\u202e" + "x" * 1000)
    (found,) = findings.shown
    assert (len(found.reason), len(found.text)) == (MAX_REASON, MAX_TEXT)
    assert found.text.startswith("a\ufffd\ufffd\ufffd\ufffdxx")
    assert found.text.isprintable()


def test_nodes_get_their_ids_afterwards() -> None:
    findings = Findings()
    findings.warn(Code.NO_TITLE, 2, "none", entry=1)
    findings.warn(Code.UNREAD_LINE, 3, "text")
    findings.of_nodes(["a", "a/b"])
    assert [each.node_id for each in findings.shown] == ["a/b", None]
