"""The lines of a file, or why it has none that could be read."""

from __future__ import annotations

import codecs
import re

from steinmetz.erp.modules.catalog.formats.findings import Code, Findings

MAX_FILE_BYTES = 5_000_000
MAX_LINES = 100_000
MAX_LINE = 10_000
"""Characters."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def lines_of(data: bytes, findings: Findings) -> list[str]:
    """The lines without their ends; none, and an error among ``findings``, if the file cannot be read as text."""
    text = text_of(data, findings)
    if text is None:
        return []
    if "\r" in text:
        first = text.count("\n", 0, text.index("\r")) + 1
        findings.note(Code.LINE_ENDS, first, "Lines end with a carriage return here; it is dropped.")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") >= MAX_LINES:
        findings.error(Code.TOO_MANY_LINES, MAX_LINES + 1, f"A file has at most {MAX_LINES} lines.")
        return []
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            findings.error(
                Code.LONG_LINE, number, f"The line has {len(line)} characters; {MAX_LINE} are allowed.", line
            )
    if lines[-1] == "":
        lines.pop()
    return lines


def text_of(data: bytes, findings: Findings) -> str | None:
    """The file as text, without a byte order mark; None, and an error among ``findings``, if it is none."""
    if len(data) > MAX_FILE_BYTES:
        findings.error(
            Code.TOO_LARGE, 0, f"The file has {len(data)} bytes; {MAX_FILE_BYTES} are allowed. Divide it."
        )
        return None
    if data.startswith(_UTF16):
        findings.error(Code.NOT_UTF8, 1, "The file is UTF-16; save it as UTF-8.")
        return None
    if data.startswith(codecs.BOM_UTF8):
        findings.note(Code.BYTE_ORDER_MARK, 1, "The file begins with a byte order mark; it is dropped.")
        data = data[len(codecs.BOM_UTF8) :]
    if (place := data.find(0)) >= 0:
        line = data.count(b"\n", 0, place) + 1
        findings.error(Code.NUL_BYTE, line, f"There is a NUL at byte {place}; this is no text file.")
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        start = max(data.rfind(b"\n", 0, error.start) + 1, error.start - 40)
        around = data[start : error.start + 20].partition(b"\n")[0].decode("utf-8", "replace")
        findings.error(
            Code.NOT_UTF8, line, f"Byte {error.start} is not UTF-8 ({error.reason}); save it as UTF-8.", around
        )
        return None


CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters that nobody sees: controls, zero-width blanks, and those that turn the direction of writing.

The joiners U+200C and U+200D are none of them: emoji and several scripts are written with them.
"""
