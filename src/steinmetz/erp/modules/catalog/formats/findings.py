"""What is odd about a file, place by place; bounded, whatever the file is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from enum import StrEnum

MAX_SHOWN = 100
"""Findings of one code that are shown of a file; the rest is counted."""
MAX_TEXT = 80
"""Characters of the offending text that are shown."""
MAX_REASON = 300


class Severity(StrEnum):
    ERROR = "error"
    """The file is refused because of it."""
    WARNING = "warning"
    """It was mended, or set aside; the file goes in."""
    INFO = "info"
    """The file is as it should be; its rules would have it otherwise."""


class Code(StrEnum):
    """Stable names; docs/howto/import-a-catalogue.md explains each."""

    # The file as a whole
    TOO_LARGE = "too-large"
    NOT_UTF8 = "not-utf8"
    NUL_BYTE = "nul-byte"
    LONG_LINE = "long-line"
    TOO_MANY_LINES = "too-many-lines"
    TOO_MANY_NODES = "too-many-nodes"
    TOO_DEEP = "too-deep"
    NOT_A_CATALOGUE = "not-a-catalogue"
    NAME_TWICE = "name-twice"
    UNKNOWN_FORMAT = "unknown-format"
    BYTE_ORDER_MARK = "byte-order-mark"
    LINE_ENDS = "line-ends"
    # Lines of a Markdown tree
    MALFORMED_BRANCH = "malformed-branch"
    DEPTH_JUMP = "depth-jump"
    ODD_BLANK = "odd-blank"
    CONTROL_CHARACTER = "control-character"
    NO_TITLE = "no-title"
    LONG_TITLE = "long-title"
    LONG_ICON = "long-icon"
    NO_HEADING = "no-heading"
    UNREAD_LINE = "unread-line"
    # Lines of JSONL
    BAD_JSON = "bad-json"
    BAD_NODE = "bad-node"
    DUPLICATE_ID = "duplicate-id"
    MISSING_PARENT = "missing-parent"
    CYCLE = "cycle"
    OTHER_DEPTH = "other-depth"
    UNKNOWN_KIND = "unknown-kind"
    # Rules
    STRAY_ESCAPE = "stray-escape"
    BAD_RULES = "bad-rules"
    NOT_APPLIED = "not-applied"
    SECOND_RULES = "second-rules"
    BEYOND_DEPTH = "beyond-depth"
    OVERFLOW = "overflow"
    OTHER_ORDER = "other-order"
    # The file against what is stored
    ROLE_NEEDED = "role-needed"
    ID_TAKEN = "id-taken"
    ID_SHORTENED = "id-shortened"
    ID_REPLACED = "id-replaced"
    KEPT = "kept"
    ROLE_LOST = "role-lost"


@dataclass(frozen=True, slots=True)
class Finding:
    """One odd place. ``line`` counts from 1; 0 is the file as a whole."""

    code: Code
    severity: Severity
    line: int
    reason: str
    text: str = ""
    """What stands there, shortened and printable."""
    entry: int | None = None
    """The node it is about, as its place in the outline."""
    node_id: str | None = None
    """The same node in the catalogue, once it has an id."""


class Findings:
    """Collects findings in the order in which they are found; shows at most `MAX_SHOWN` of each code."""

    def __init__(self) -> None:
        self.shown: list[Finding] = []
        self.counts: Counter[Code] = Counter()
        self.first_error: Finding | None = None

    def error(self, code: Code, line: int, reason: str, text: str = "") -> None:
        self._add(code, Severity.ERROR, line, reason, text, None)

    def warn(self, code: Code, line: int, reason: str, text: str = "", entry: int | None = None) -> None:
        self._add(code, Severity.WARNING, line, reason, text, entry)

    def note(self, code: Code, line: int, reason: str, text: str = "", entry: int | None = None) -> None:
        self._add(code, Severity.INFO, line, reason, text, entry)

    def _add(
        self,
        code: Code,
        severity: Severity,
        line: int,
        reason: str,
        text: str,
        entry: int | None,
        node_id: str | None = None,
    ) -> None:
        self.counts[code] += 1
        is_first_error = severity is Severity.ERROR and self.first_error is None
        if self.counts[code] > MAX_SHOWN and not is_first_error:
            return
        finding = Finding(code, severity, line, shortened(reason, MAX_REASON), shortened(text), entry, node_id)
        self.shown.append(finding)
        if is_first_error:
            self.first_error = finding

    def kept(self, node_id: str) -> None:
        """Of a node that is in the catalogue and no more in the file."""
        reason = "It is no more in the file; it stays for what others have put below it."
        self._add(Code.KEPT, Severity.WARNING, 0, reason, node_id, None, node_id)

    def role_lost(self, node_id: str, role: str) -> None:
        """Of a node that is deleted, with the lowest role that people gave it."""
        reason = f"Only the role {role} saw it, and it is deleted: of what stands in its place, say so anew."
        self._add(Code.ROLE_LOST, Severity.WARNING, 0, reason, node_id, None)

    def of_nodes(self, ids: list[str]) -> None:
        """The nodes of the outline have these ids in the catalogue now."""
        self.shown = [
            finding if finding.entry is None else replace(finding, node_id=ids[finding.entry])
            for finding in self.shown
        ]


def shortened(text: str, most: int = MAX_TEXT) -> str:
    """At most ``most`` characters, each of which can be printed and kept anywhere."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in cut)
