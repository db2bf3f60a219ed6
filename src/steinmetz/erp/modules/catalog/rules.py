"""Kinds of nodes, their slugs, who sees them, and the shape of the tree; pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable
from dataclasses import dataclass
from enum import StrEnum

from steinmetz.erp.kit.roles import Role, may_read


class Kind(StrEnum):
    CATEGORY = "category"
    GROUP = "group"
    RECORD = "record"
    WORKFLOW = "workflow"
    REPORT = "report"
    DATASET = "dataset"
    ITEM = "item"


MAX_LEVELS = 12
"""How deep the tree may grow; bounds every walk through it."""

MAX_STEP = 64
"""Characters of one step of an id."""

MIN_STEP = 8
"""Room that a step must have, for a few letters and a number that tells it from others."""

MAX_ID = 255

RESERVED_STEPS = frozenset({"children", "move"})
"""Words that follow an id in a URL; no id ends with one, so that every URL has one reading."""

_TRANSLITERATED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "&": " und ", "+": " plus "})


@dataclass(frozen=True, slots=True)
class Naming:
    """How ids are made, as far as a rules document may say it."""

    max_step: int = MAX_STEP
    """Characters of one step, `MIN_STEP` to `MAX_STEP`."""
    ascii_only: bool = False
    """Letters that are not ASCII, and cannot be written so, are left out."""


HOUSE_NAMING = Naming()


def slug(title: str, naming: Naming = HOUSE_NAMING) -> str:
    """One step of an id: lower-case letters and digits of any script, German umlauts written out, joined by ``-``.

    Empty when the title holds neither letter nor digit (of ASCII, if ``naming`` wants that).
    """
    plain = unicodedata.normalize("NFC", title).lower().translate(_TRANSLITERATED)
    letters = (
        character for character in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(character)
    )
    words = "".join(
        character if character.isalnum() and (character.isascii() or not naming.ascii_only) else " "
        for character in letters
    ).split()
    return "-".join(words)[: naming.max_step].strip("-")


def step_of(title: str, naming: Naming = HOUSE_NAMING) -> str:
    """The last step of the id of a node of this title, before anything is in its way."""
    return slug(title, naming) or "knoten"


def node_id(
    parent_id: str | None,
    title: str,
    taken: Container[str],
    naming: Naming = HOUSE_NAMING,
    *,
    first_attempt: int = 1,
) -> str | None:
    """A free id under ``parent_id`` for ``title``; None when the path leaves no room for one.

    The second attempt ends with ``-2``, and so on. The id is given once and stays, whatever the node is called or
    wherever it is moved later.
    """
    prefix = f"{parent_id}/" if parent_id else ""
    room = min(naming.max_step, MAX_ID - len(prefix))
    step = step_of(title, naming)
    if room < MIN_STEP:
        return None
    for attempt in range(first_attempt, first_attempt + 10_000):
        suffix = "" if attempt == 1 else f"-{attempt}"
        candidate = step[: room - len(suffix)].strip("-") + suffix
        if candidate not in RESERVED_STEPS and prefix + candidate not in taken:
            return prefix + candidate
    return None


def id_stem(parent_id: str | None, title: str, naming: Naming = HOUSE_NAMING) -> str:
    """What every id that `node_id` may give begins with: only ids that begin so can be in its way."""
    prefix = f"{parent_id}/" if parent_id else ""
    room = min(naming.max_step, MAX_ID - len(prefix))
    return prefix + step_of(title, naming)[: max(room - MIN_STEP, 0)].rstrip("-")


_WEIGHT = re.compile(r"\(w:(-?[0-9]{1,9})\)$")


def weight_and_title(title: str) -> tuple[int, str]:
    """What a catalogue that sorts by weight, then alphabetically, sorts by; ``(w:5)`` at the end is a weight."""
    found = _WEIGHT.search(title)
    return int(found[1]) if found else 0, title.casefold()


def area_of_root(node_id: str) -> str:
    """A root is an area. One that was moved up keeps its id, and is named by the last step of it."""
    return node_id.rpartition("/")[2]


def roles_that_see(min_roles: Iterable[Role]) -> tuple[Role, ...]:
    """The roles that may read a node whose own ``min_role`` and those of its ancestors are given."""
    needed = list(min_roles)
    return tuple(role for role in Role if all(may_read(role, each) for each in needed))


def search_words(text: str) -> list[str]:
    """The words of a search, without anything that a query language could read as its own.

    At most eight words of at most 40 characters: nobody types more, and each costs a prefix scan.
    """
    separated = "".join(character if character.isalnum() else " " for character in text)
    return [word[:40] for word in separated.split()[:8]]
