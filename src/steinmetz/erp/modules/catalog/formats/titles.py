"""The icon in front of a title, and the title itself.

An icon is one emoji of any number of code points: a base, perhaps with a variation selector or a skin tone, a
keycap, a flag, or several of these joined by U+200D ("emoji zwj sequence", Unicode Technical Standard 51, 1.4.9).
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.formats.lines import CONTROLS

MAX_ICON = 16
"""Code points; the longest emoji in use has ten."""
MAX_TITLE = 200
UNTITLED = "Ohne Titel"

# Which of these are drawn in colour by default does not matter here: as the first sign of a line they are icons.
_PICTURE = (
    "[\u231a-\u23ff\u25a0-\u27bf\u2b00-\u2bff\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff]"
)
_TEXT_AS_PICTURE = "[^\\W\\d_]\ufe0f|[^\\w\\s]\ufe0f"
"""A letter or sign that becomes an emoji only by the selector: ℹ️, ↔️, ‼️."""
_MODIFIERS = "[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
_ELEMENT = f"(?:{_TEXT_AS_PICTURE}|{_PICTURE}){_MODIFIERS}"
_EMOJI = re.compile(f"(?:[0-9#*]\ufe0f?\u20e3|[\U0001f1e6-\U0001f1ff]{{2}}|{_ELEMENT}(?:\u200d{_ELEMENT})*)")


class Titled(NamedTuple):
    icon: str
    title: str


def split_title(text: str) -> Titled:
    """Icon and title of what follows a branch; blanks are made single, and the icon may be missing."""
    plain = unicodedata.normalize("NFC", " ".join(text.split()))
    found = _EMOJI.match(plain)
    if found is None or len(found[0]) > MAX_ICON:
        return Titled("", plain)
    return Titled(found[0], plain[found.end() :].lstrip())


def title_of(text: str, line: int, entry: int, findings: Findings) -> Titled:
    """`split_title` of a line that shall become the node ``entry``; what had to be mended is told."""
    if CONTROLS.search(text):
        reason = "It holds invisible characters; they are dropped."
        findings.warn(Code.CONTROL_CHARACTER, line, reason, text, entry)
        text = CONTROLS.sub("", text)
    icon, title = split_title(text)
    if not icon and _EMOJI.match(title):
        findings.warn(
            Code.LONG_ICON, line, f"Its emoji has more than {MAX_ICON} parts and stays in the title.", text, entry
        )
    if not title:
        title = icon or UNTITLED
        icon = ""
        findings.warn(Code.NO_TITLE, line, f"It has no title; it is called “{title}”.", text, entry)
    if len(title) > MAX_TITLE:
        findings.warn(
            Code.LONG_TITLE,
            line,
            f"Its title has {len(title)} characters and is cut to {MAX_TITLE}.",
            title,
            entry,
        )
        title = title[: MAX_TITLE - 1].rstrip() + "…"
    return Titled(icon, title)
