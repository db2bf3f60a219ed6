"""The tree of a Markdown file.

A line is ``│`` marks, a branch (``├──``, ``└──``, ``├--``, ``└--``), an emoji and a title. The mark depth is the
number of marks. Below a last child (``└``) the mark of its level is not written, so its children have the mark
depth of the line itself: **a line that follows a ``└`` at the same mark depth is a child of that ``└``**, and
everything after it at that mark depth lies as deep. In a well-drawn tree nothing else can follow a ``└`` at its
mark depth; in one that lost its indentation, this is what brings the levels back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.formats.lines import lines_of
from steinmetz.erp.modules.catalog.formats.outline import MAX_NODES, Entry, Outline
from steinmetz.erp.modules.catalog.formats.titles import title_of
from steinmetz.erp.modules.catalog.rules import MAX_LEVELS

_HEADING = re.compile(r" {0,3}##(?!#)(.*)", re.DOTALL)
_BRANCH = re.compile(r"([│\s]*)([├└])(.*)", re.DOTALL)
_WELL_FORMED = re.compile(r"(?:──|--)(?![─-])(.*)", re.DOTALL)
_ODD_BLANK = re.compile(r"[^\S ]")
_REMAINS = re.compile("[\u2500-\u2503\u2010-\u2015\ufe0e\ufe0f\u20e3\u200b-\u200d-]*")
"""What is left of a branch that is not well-formed: strokes, selectors, a keycap."""


@dataclass(slots=True)
class _Level:
    """The lines of one mark depth that belong to one parent."""

    marks: int
    parent: int
    last: int
    """The entry that came last."""
    is_closed: bool
    """It was a ``└``: what follows here lies below it."""


def read_markdown(name: str, data: bytes, findings: Findings) -> Outline:
    """The outline of the file; empty if it is refused, of which an error among ``findings`` tells.

    ``name`` stands in for a heading that is missing.
    """
    reader = _Reader(name, findings)
    for number, line in enumerate(lines_of(data, findings), 1):
        reader.read(number, line)
    return reader.end()


class _Reader:
    def __init__(self, name: str, findings: Findings) -> None:
        self._name = name
        self._findings = findings
        self._outline = Outline()
        self._area: int | None = None
        self._levels: list[_Level] = []
        self._has_branches = False
        self._has_text = False

    def read(self, number: int, line: str) -> None:
        if not line.strip():
            return
        if (heading := _HEADING.match(line)) is not None:
            self._area = self._add(number, None, heading[1])
            self._levels.clear()
        elif (branch := _BRANCH.match(line)) is not None:
            self._has_branches = True
            self._read_branch(number, line, *branch.groups())
        else:
            self._has_text = True
            self._findings.warn(Code.UNREAD_LINE, number, "This is neither a heading nor a branch.", line)

    def _read_branch(self, number: int, line: str, prefix: str, corner: str, rest: str) -> None:
        marks, entry = prefix.count("│"), len(self._outline.entries)
        if _ODD_BLANK.search(line):
            self._findings.note(
                Code.ODD_BLANK, number, "A tab or a hard blank stands for a blank.", line.strip(), entry
            )
        if (well_formed := _WELL_FORMED.match(rest)) is not None:
            title = well_formed[1]
        else:
            remains = _REMAINS.match(rest)
            title = rest[remains.end() :] if remains is not None else rest
            self._outline.malformed += 1
            self._findings.warn(
                Code.MALFORMED_BRANCH, number, f"After {corner} there is no ──; its title is a node.", line, entry
            )
        self._hang(number, marks, line, title, is_last=corner == "└")

    def _hang(self, number: int, marks: int, line: str, title: str, *, is_last: bool) -> None:
        if self._area is None:
            self._area = self._add(number, None, self._name)
            self._findings.warn(
                Code.NO_HEADING, number, "No heading (##) comes before it; the file's name stands in.", line
            )
        levels = self._levels
        while levels and levels[-1].marks > marks:
            levels.pop()
        if levels and levels[-1].marks == marks:
            level = levels[-1]
            if level.is_closed:
                level.parent = level.last
        else:
            above = levels[-1] if levels else None
            if marks > (above.marks + 1 if above else 0):
                self._findings.warn(
                    Code.DEPTH_JUMP, number, "It lies more than one level below the line before it.", line
                )
            level = _Level(marks, above.last if above else self._area, -1, is_closed=False)
            levels.append(level)
        level.last = self._add(number, level.parent, title)
        level.is_closed = is_last

    def _add(self, number: int, parent: int | None, text: str) -> int:
        entries = self._outline.entries
        place, depth = len(entries), 0 if parent is None else entries[parent].depth + 1
        icon, title = title_of(text, number, place, self._findings)
        if depth >= MAX_LEVELS:
            self._findings.error(
                Code.TOO_DEEP, number, f"It lies on level {depth + 1}; the tree has at most {MAX_LEVELS}.", title
            )
            # The file is refused; what lies still deeper need not be measured.
            parent, depth = 0, 1
        if place == MAX_NODES:
            self._findings.error(Code.TOO_MANY_NODES, number, f"A file has at most {MAX_NODES} nodes. Divide it.")
        entries.append(Entry(number, parent, depth, icon, title))
        return place

    def end(self) -> Outline:
        is_tree = self._has_branches or (self._outline.entries and not self._has_text)
        if not is_tree and self._findings.first_error is None:
            self._findings.error(Code.NOT_A_CATALOGUE, 0, "There is no branch (├── or └──) in the file.")
        return Outline() if self._findings.first_error is not None else self._outline
