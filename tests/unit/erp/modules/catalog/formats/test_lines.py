"""A file is text in UTF-8 of a bounded size, or it is refused with the place and the reason."""

from __future__ import annotations

import pytest

from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.formats.lines import MAX_FILE_BYTES, MAX_LINE, MAX_LINES, lines_of


def test_a_byte_order_mark_and_foreign_line_ends_are_dropped_and_told() -> None:
    findings = Findings()
    assert lines_of(b"\xef\xbb\xbfeins\nzwei\r\ndrei\rvier", findings) == ["eins", "zwei", "drei", "vier"]
    assert [(each.code, each.line) for each in findings.shown] == [(Code.BYTE_ORDER_MARK, 1), (Code.LINE_ENDS, 2)]


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        ("Größe\n".encode("utf-16"), Code.NOT_UTF8, 1),
        ("eins\nGröße\n".encode("latin-1"), Code.NOT_UTF8, 2),
        (b"eins\n\xf0\x9f\x93", Code.NOT_UTF8, 2),
        (b"\xed\xa0\x80", Code.NOT_UTF8, 1),
        (b"eins\nzwei\x00\n", Code.NUL_BYTE, 2),
        (b"eins\n" + b"x" * (MAX_LINE + 1), Code.LONG_LINE, 2),
        (b"\n" * (MAX_LINES + 1), Code.TOO_MANY_LINES, MAX_LINES + 1),
        (b"x" * (MAX_FILE_BYTES + 1), Code.TOO_LARGE, 0),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_cannot_be_read_is_refused_with_its_place(data: bytes, code: Code, line: int) -> None:
    findings = Findings()
    lines_of(data, findings)
    assert findings.first_error is not None
    assert (findings.first_error.code, findings.first_error.line) == (code, line)
    assert findings.first_error.text.isprintable()


def test_the_last_line_may_lack_its_end() -> None:
    assert lines_of(b"a\nb", Findings()) == lines_of(b"a\nb\n", Findings()) == ["a", "b"]
    assert lines_of(b"", Findings()) == []
