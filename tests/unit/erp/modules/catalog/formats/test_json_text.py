"""JSON is taken if every engine can keep it."""

from __future__ import annotations

import pytest

from steinmetz.erp.modules.catalog.formats.json_text import NotJsonError, read_json


def test_json_is_read() -> None:
    assert read_json('{"a": [1, 2.5, null, true, "ä"]}') == {"a": [1, 2.5, None, True, "ä"]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": "\\u0000"}', "NUL"),
        ('{"\\u0000": 1}', "NUL"),
        ('["\\ud83d"]', "surrogate"),
        ("[NaN]", "NaN"),
        ("[-Infinity]", "Infinity"),
        ("[1e999]", "too large"),
        (f"[{'9' * 30}]", "too large"),
        (f"[{'9' * 5_000}]", "digits"),
        ("[" * 50 + "]" * 50, "brackets"),
        ("[" * 90_000, "brackets"),
    ],
    ids=range(10),
)
def test_what_cannot_be_kept_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_json(text)


def test_what_is_no_json_has_its_line() -> None:
    with pytest.raises(NotJsonError) as caught:
        read_json('{\n"a": 1,\n}')
    assert caught.value.line == 3
