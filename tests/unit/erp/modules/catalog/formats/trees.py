"""Trees for tests: drawn into Markdown in several hands, and read back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from steinmetz.erp.modules.catalog.formats.outline import Outline


class Tree(NamedTuple):
    icon: str
    title: str
    below: tuple[Tree, ...] = ()


def drawn(area: Tree, *, mark: str = "│   ", lost: str = "    ", stroke: str = "──") -> str:
    """``lost`` is what is written below a last child in place of ``mark``."""
    return "\n".join([f"## {area.icon} {area.title}", "", *_lines(area.below, "", mark, lost, stroke)]) + "\n"


def _lines(siblings: Sequence[Tree], prefix: str, mark: str, lost: str, stroke: str) -> Iterator[str]:
    for number, tree in enumerate(siblings, 1):
        is_last = number == len(siblings)
        yield f"{prefix}{'└' if is_last else '├'}{stroke} {tree.icon} {tree.title}"
        yield from _lines(tree.below, prefix + (lost if is_last else mark), mark, lost, stroke)


def grown(outline: Outline) -> list[Tree]:
    """The trees of an outline."""
    below: list[list[int]] = [[] for _ in outline.entries]
    roots = []
    for place, entry in enumerate(outline.entries):
        (roots if entry.parent is None else below[entry.parent]).append(place)

    def tree(place: int) -> Tree:
        entry = outline.entries[place]
        return Tree(entry.icon, entry.title, tuple(tree(each) for each in below[place]))

    return [tree(place) for place in roots]


ICONS = st.sampled_from(["", "📦", "⚙️", "👨‍👩‍👧", "🇩🇪", "1️⃣", "⏱️", "ℹ️"])
TITLES = st.text("aAbzÄöß日1 &()-/%", min_size=1, max_size=8).map(lambda text: " ".join(f"T{text}".split()))
LEAVES = st.builds(lambda icon, title: Tree(icon, title), ICONS, TITLES)
TREES = st.recursive(
    LEAVES,
    lambda below: st.builds(Tree, ICONS, TITLES, st.lists(below, max_size=4).map(tuple)),
    max_leaves=20,
)


def depth(tree: Tree) -> int:
    return 1 + max((depth(each) for each in tree.below), default=0)
