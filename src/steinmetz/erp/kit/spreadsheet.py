"""CSV that a spreadsheet opens as what it is: text stays text; pure."""

from __future__ import annotations

from collections.abc import Iterable

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def inert(cell: str) -> str:
    """``cell`` so that no spreadsheet takes it for a formula: an apostrophe before what begins like one.

    "Prepend each cell field with a single quote" (OWASP, CSV Injection).
    """
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA_STARTS) else cell


def csv_line(values: Iterable[str | int | None]) -> str:
    """One record as RFC 4180 writes it; text is made `inert`, numbers stay numbers.

    "Each record is located on a separate line, delimited by a line break (CRLF)" (2.1).
    """
    return ",".join(map(_field, values)) + "\r\n"


def _field(value: str | int | None) -> str:
    text = "" if value is None else inert(value) if isinstance(value, str) else str(value)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',;"\r\n') else text
