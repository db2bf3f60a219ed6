"""The name says the format; no bytes under any name make reading fail."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.erp.modules.catalog.formats.findings import Code
from steinmetz.erp.modules.catalog.formats.reading import Format, read


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("_7_Lager.md", Format.MARKDOWN),
        ("LAGER.MD", Format.MARKDOWN),
        ("lager.jsonl", Format.JSONL),
        ("_0_REGELN.md", Format.RULES),
        ("package.json", Format.UNKNOWN),
        ("lager", Format.UNKNOWN),
    ],
)
def test_the_name_says_the_format(name: str, wanted: Format) -> None:
    assert read(name, b"").format is wanted


def test_an_unknown_format_is_refused() -> None:
    refused = read("lager.xlsx", b"PK").findings.first_error
    assert refused is not None
    assert refused.code is Code.UNKNOWN_FORMAT


def test_a_missing_heading_is_made_of_the_name() -> None:
    assert read("_7_Lager.md", "├── 📦 Bestand".encode()).outline.entries[0].title == "_7_Lager"


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.sampled_from(["a.md", "a.jsonl", "_0_REGELN.md", "a.bin"]), st.binary(max_size=300))
def test_no_bytes_make_reading_fail(name: str, data: bytes) -> None:
    reading = read(name, data)
    assert all(each.line >= 0 and each.reason for each in reading.findings.shown)
