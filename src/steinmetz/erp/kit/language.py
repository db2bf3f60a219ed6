"""What people read, in English and German: phrases, money, quantities and days; pure.

Each module keeps its phrases in one file, ``texts.py``; nothing that a person reads is written anywhere else.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Language(StrEnum):
    EN = "en"
    DE = "de"


def language_of(locale: str) -> Language:
    """The language of a locale such as ``de-AT``; English for what we do not speak."""
    return Language.DE if locale.lower().partition("-")[0] == Language.DE else Language.EN


@dataclass(frozen=True, slots=True)
class Phrase:
    """The same sentence in both languages; ``{name}`` stands for a value."""

    en: str
    de: str

    def into(self, language: Language, **values: Any) -> str:
        """The sentence in ``language``. Raises `KeyError` for a value that is missing."""
        text = self.de if language is Language.DE else self.en
        return text.format_map(values)


def money(cents: int, language: Language, currency: str = "EUR") -> str:
    """``1.234,56 €`` in German, ``€1,234.56`` in English; other currencies by their code behind the figure."""
    sign = "-" if cents < 0 else ""
    figure = _grouped(abs(cents), 2, language)
    if currency != "EUR":
        return f"{sign}{figure} {currency}"
    return f"{sign}{figure} €" if language is Language.DE else f"{sign}€{figure}"


def quantity(milli: int, language: Language) -> str:
    """Thousandths as people write them: 1500 is ``1,5`` in German and ``1.5`` in English."""
    sign = "-" if milli < 0 else ""
    whole, mark, fraction = _grouped(abs(milli), 3, language).rpartition("," if language is Language.DE else ".")
    fraction = fraction.rstrip("0")
    return sign + (whole + mark + fraction if fraction else whole)


def day(date: dt.date, language: Language) -> str:
    """``02.03.2026`` in German, ``2 March 2026`` in English."""
    if language is Language.DE:
        return f"{date:%d.%m.%Y}"
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _grouped(amount: int, decimals: int, language: Language) -> str:
    whole, fraction = divmod(amount, 10**decimals)
    group, mark = (".", ",") if language is Language.DE else (",", ".")
    return f"{whole:,}".replace(",", group) + f"{mark}{fraction:0{decimals}d}"
