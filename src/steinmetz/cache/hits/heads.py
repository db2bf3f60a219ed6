"""Reads the head of a plain request, or leaves it to the server's own parser.

Stricter than any parser behind it: whatever two programs might read differently is not read here at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote

R = TypeVar("R")

END = b"\r\n\r\n"
MAX_SEGMENT_BYTES = 16_384
MAX_FIELDS = 64
REMEMBERED_LINES = 4_096
LEAST_REMEMBERED_LINES = 512
BYTES_A_LINE = 12_000
REMEMBERED_LINE_BYTES = 2_048

HOST = b"host"
CONNECTION = b"connection"
# Fields that can make another thing of a request than a GET that a kept answer fits.
DOUBTFUL = frozenset(
    {
        # A body, or a change of protocol.
        b"content-length",
        b"transfer-encoding",
        b"expect",
        b"upgrade",
        b"trailer",
        # A part, or a condition on anything but the entity tag.
        b"range",
        b"if-range",
        b"if-match",
        b"if-modified-since",
        b"if-unmodified-since",
        # Demands on a cache.
        b"cache-control",
        b"pragma",
        b"x-consistency-token",
    }
)
# origin-form only (RFC 9112, 3.2.1), of characters that every parser takes for themselves (RFC 3986, 3.3 and 3.4).
_REQUEST_LINE = re.compile(
    rb"(GET|HEAD) (/(?!/)[A-Za-z0-9._~!$&'()*+,;=:@/%-]*)(?:\?([A-Za-z0-9._~!$&'()*+,;=:@/%?-]*))? HTTP/1\.1"
)
# "field-name ":" OWS field-value OWS" (RFC 9112, 5); one with spaces at its end is left to the parser.
_FIELD_LINE = re.compile(
    rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?)"
)


@dataclass(slots=True)
class Head:
    """A GET or HEAD without a body: ``path`` decoded, ``query`` raw, names of ``headers`` in lower case."""

    method: str
    path: str
    query: bytes
    headers: list[tuple[bytes, bytes]]


Gist = tuple[bytes, ...]
"""The lines of a request that matter, in their order, without those that nobody looks at."""


def lines_beside(store_bytes: int) -> int:
    """How many lines of each kind are worth remembering beside a store of answers with this budget: about one for
    each answer, `REMEMBERED_LINES` beside a large one and never less than `LEAST_REMEMBERED_LINES`."""
    return max(LEAST_REMEMBERED_LINES, min(REMEMBERED_LINES, store_bytes // BYTES_A_LINE))


class HeadReader:
    """Remembers lines, for browsers send the same ones over and over. Memory: bounded by number and length.

    ``looked_at`` are the fields that anybody looks at, in lower case; None if nobody can say, and all may matter.
    ``remembered_lines`` of each kind are kept, at most.
    """

    def __init__(self, looked_at: frozenset[bytes] | None, remembered_lines: int = REMEMBERED_LINES) -> None:
        self._remembered_lines = remembered_lines
        self._looked_at = None if looked_at is None else looked_at | {HOST}
        self._fields: dict[bytes, tuple[bytes, bytes]] = {}
        self._idle: dict[bytes, None] = {}
        """Lines that are written plainly and that nobody looks at."""
        self._idle_names: dict[bytes, None] = {}
        """Their names, as they were written."""
        self._targets: dict[bytes, tuple[str, str, bytes]] = {}

    def remembered(self) -> tuple[int, int, int, int]:
        """How many lines: fields that matter, fields that do not, the names of these, request lines."""
        return len(self._fields), len(self._idle), len(self._idle_names), len(self._targets)

    def gist(self, segment: bytes) -> tuple[Gist | None, bool]:
        """What the one request that ``segment`` consists of has in common with others that are answered alike, and
        whether all its lines were heard before.

        None for more or less than one request, and for whatever is not written plainly.
        """
        if len(segment) > MAX_SEGMENT_BYTES or not segment.endswith(END):
            return None, False
        idle, known = self._idle, self._fields
        lines = segment.split(b"\r\n")
        left = [line for line in lines if line not in idle]
        if left[0] is not lines[0] or len(lines) > MAX_FIELDS:
            return None, False  # a field where the request line should be
        unheard = [line for line in left[1:-2] if line not in known]
        for line in unheard:
            # An empty line before the end was never heard either, and is no field.
            match = _FIELD_LINE.fullmatch(line)
            if match is None:
                return None, False
            if match[1] not in self._idle_names:
                field = self._field(line)
                if field is None:
                    return None, False
                if self._looked_at is None or field[0] in self._looked_at:
                    continue
                if field[0] != CONNECTION:  # which matters by its value
                    self._remember(self._idle_names, match[1], None)
            self._remember(idle, line, None)
            left.remove(line)
        return tuple(left), not unheard

    def read(self, segment: bytes) -> Head | None:
        """The one request that ``segment`` consists of, its empty line included.

        None for more or less than one request, another method or version, another form of target, a body,
        `Expect`, `Upgrade`, `Range`, a connection that is not to stay, no Host or several, and whatever is not
        written plainly.
        """
        if len(segment) > MAX_SEGMENT_BYTES or not segment.endswith(END):
            return None
        lines = segment[: -len(END)].split(b"\r\n")
        asked = self._targets.get(lines[0])
        if asked is None and (asked := self._target(lines[0])) is None:
            return None
        del lines[0]
        if len(lines) > MAX_FIELDS:
            return None
        known, headers, hosts = self._fields, [], 0
        for line in lines:
            field = known.get(line) or self._field(line)
            if field is None:
                return None
            if field[0] == HOST:
                hosts += 1
            headers.append(field)
        # "A server MUST respond with a 400 ... to any HTTP/1.1 request message that lacks a Host header field and
        # to any request message that contains more than one" (RFC 9112, 3.2).
        return Head(*asked, headers) if hosts == 1 else None

    def _target(self, line: bytes) -> tuple[str, str, bytes] | None:
        match = _REQUEST_LINE.fullmatch(line)
        if match is None:
            return None
        path = match[2].decode("ascii")
        asked = match[1].decode("ascii"), unquote(path) if "%" in path else path, match[3] or b""
        self._remember(self._targets, line, asked)
        return asked

    def _field(self, line: bytes) -> tuple[bytes, bytes] | None:
        match = _FIELD_LINE.fullmatch(line)
        if match is None:
            return None
        name, value = match.groups()
        name = name.lower()
        if name in DOUBTFUL or (name == CONNECTION and value.lower() != b"keep-alive"):
            return None
        if self._looked_at is None or name in self._looked_at:
            self._remember(self._fields, line, (name, value))
        return name, value

    def _remember(self, known: dict[bytes, R], line: bytes, read: R) -> None:
        if len(line) <= REMEMBERED_LINE_BYTES:
            if len(known) >= self._remembered_lines:
                known.clear()
            known[line] = read
