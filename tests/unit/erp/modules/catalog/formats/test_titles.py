"""Icon and title come apart, whatever emoji it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.formats.titles import (
    MAX_ICON,
    MAX_TITLE,
    UNTITLED,
    Titled,
    split_title,
    title_of,
)

EMOJI = [
    "📦",
    "⚙️",
    "⚙",
    "1️⃣",
    "#️⃣",
    "🇩🇪",
    "👍🏽",
    "ℹ️",
    "↔️",
    "🆔",
    "⏱️",
    "▶",
    "✅",
    "🏴\U000e0067\U000e0062\U000e007f",
]
JOINED = ["👨\u200d👩\u200d👧\u200d👦", "❤️\u200d🔥", "👩🏽\u200d🔧", "🧑\u200d🤝\u200d🧑"]


@pytest.mark.parametrize("emoji", [*EMOJI, *JOINED])
@pytest.mark.parametrize("gap", [" ", "", "\N{NO-BREAK SPACE}\t"])
def test_an_emoji_of_any_length_is_the_icon(emoji: str, gap: str) -> None:
    assert split_title(f" {emoji}{gap}Lager & Versand ") == Titled(emoji, "Lager & Versand")


@pytest.mark.parametrize(
    "title",
    ["Lager", "3 Säulen", "7-Tage-Sicht", "#Themen", "* Pflicht", "© Rechte", "– offen", "→ weiter", "日本"],
)
def test_what_is_no_emoji_stays_in_the_title(title: str) -> None:
    assert split_title(title) == Titled("", title)


def test_only_the_first_emoji_is_the_icon() -> None:
    assert split_title("🔴🟡 Ampel 🚦") == Titled("🔴", "🟡 Ampel 🚦")


def test_blanks_are_made_single_and_letters_composed() -> None:
    assert split_title("Zwei \t Wörter ") == Titled("", "Zwei Wörter")
    assert split_title(unicodedata.normalize("NFD", "Größe")) == Titled("", "Größe")


def codes(findings: Findings) -> list[Code]:
    return [finding.code for finding in findings.shown]


@pytest.mark.parametrize(
    ("text", "titled", "found"),
    [
        ("", Titled("", UNTITLED), [Code.NO_TITLE]),
        ("📦", Titled("", "📦"), [Code.NO_TITLE]),
        ("x" * 300, Titled("", "x" * (MAX_TITLE - 1) + "…"), [Code.LONG_TITLE]),
        ("La\x07ger\N{ZERO WIDTH SPACE}\N{RIGHT-TO-LEFT OVERRIDE}", Titled("", "Lager"), [Code.CONTROL_CHARACTER]),
        ("👩‍" * 9 + "👩 Team", Titled("", "👩‍" * 9 + "👩 Team"), [Code.LONG_ICON]),
        ("📦 Lager", Titled("📦", "Lager"), []),
    ],
)
def test_what_has_to_be_mended_is_told(text: str, titled: Titled, found: list[Code]) -> None:
    findings = Findings()
    assert title_of(text, 1, 0, findings) == titled
    assert codes(findings) == found
    assert findings.first_error is None


@settings(derandomize=True, max_examples=200)
@given(st.text(max_size=400))
def test_every_text_gives_a_title_that_can_be_kept(text: str) -> None:
    icon, title = title_of(text, 1, 0, Findings())
    assert 0 < len(title) <= MAX_TITLE
    assert len(icon) <= MAX_ICON
    assert title == title.strip()
    assert "\x00" not in title + icon
