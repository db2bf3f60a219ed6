"""What people, places and firms are called: raw material from names.txt, no rule."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import NamedTuple


class City(NamedTuple):
    """A city with the first and the last of its postal codes, as numbers."""

    name: str
    first_code: int
    last_code: int


def _sections() -> dict[str, tuple[str, ...]]:
    text = files(__package__).joinpath("names.txt").read_text("utf-8")
    parts = re.split(r"^\[(.+)\]$", text, flags=re.MULTILINE)[1:]
    return {
        title: tuple(entry.strip() for entry in re.split("[;\n]", entries) if entry.strip())
        for title, entries in zip(parts[::2], parts[1::2], strict=True)
    }


def _city(line: str) -> City:
    name, first, last = re.fullmatch(r"(.+) (\d+)-(\d+)", line).groups()  # type: ignore[union-attr]  # our own file
    return City(name, int(first), int(last))


_TEXT = _sections()

FIRST_NAMES = _TEXT["first names"]
LAST_NAMES = _TEXT["last names"]
GERMAN_CITIES = tuple(_city(line) for line in _TEXT["german cities"])
SWISS_CITIES = tuple(_city(line) for line in _TEXT["swiss cities"])
STREETS = _TEXT["streets"]
TRADES = _TEXT["trades"]
FANTASY_NAMES = _TEXT["fantasy names"]

LEGAL_FORMS = {"GmbH": 46, "GmbH & Co. KG": 26, "AG": 8, "KG": 7, "e. K.": 5, "OHG": 3, "eG": 3, "SE": 2}
"""Legal forms and how common they are among 100 customers."""

_BERLIN, _HAMBURG, _COLOGNE = "+49 30 23125", "+49 40 66969", "+49 221 4710"
_FRANKFURT, _MUNICH = "+49 69 90009", "+49 89 99998"

FICTION_NUMBERS = dict(
    zip(
        "0123456789",
        (_BERLIN, _BERLIN, _HAMBURG, _HAMBURG, _COLOGNE, _COLOGNE, _FRANKFURT, _FRANKFURT, _MUNICH, _MUNICH),
        strict=True,
    )
)
"""What the Bundesnetzagentur keeps free for fiction (three more digits), by the first digit of a postal code:
nobody's telephone rings because of this data."""
