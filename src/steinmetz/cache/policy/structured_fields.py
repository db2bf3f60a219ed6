"""Structured field values (RFC 9651): strict, for a field that fails to parse is ignored whole.

    Dictionary  ->  dict of key -> bare item (an Inner List counts as `InnerList`)
    List        ->  list of the same

Parameters are checked and dropped: no field that a cache reads gives them a meaning.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import unquote_to_bytes


class NotStructuredError(ValueError):
    """The text is no structured field of that type."""


@dataclass(frozen=True, slots=True)
class Token:
    """A short textual word, such as ``gzip``; a `str` is a String in quotes."""

    text: str


@dataclass(frozen=True, slots=True)
class Instant:
    """A Date: seconds of POSIX time."""

    seconds: int


@dataclass(frozen=True, slots=True)
class InnerList:
    items: tuple[BareItem, ...]


BareItem = bool | int | Decimal | str | bytes | Token | Instant
Member = BareItem | InnerList

_KEY = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_TOKEN = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*")
_NUMBER = re.compile(r"-?(\d+)(?:\.(\d+))?")
_STRING = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_BYTES = re.compile(r":([A-Za-z0-9+/=]*):")
_DISPLAY = re.compile(r'%"((?:[\x20\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*)"')
_ESCAPED = re.compile(r'\\(["\\])')


def parse_dictionary(value: bytes) -> dict[str, Member]:
    """The members of a Dictionary; of a key given twice the last counts (RFC 9651, 4.2.2).

    Raises `NotStructuredError`.
    """
    reader = _Reader(value)
    members: dict[str, Member] = {}
    while not reader.is_at_end:
        key = reader.take(_KEY)[0]
        # To overwrite keeps the first one's place; the place has no meaning here.
        members[key] = reader.member() if reader.skip("=") else reader.true()
        reader.next_member()
    return members


def parse_list(value: bytes) -> list[Member]:
    """The members of a List. Raises `NotStructuredError`."""
    reader = _Reader(value)
    members: list[Member] = []
    while not reader.is_at_end:
        members.append(reader.member())
        reader.next_member()
    return members


class _Reader:
    """The text and how far it has been read. "If parsing fails, the entire field value MUST be ignored" (4.2)."""

    def __init__(self, value: bytes) -> None:
        try:
            self._text = value.decode("ascii").strip(" ")
        except UnicodeDecodeError:
            raise NotStructuredError("not ASCII") from None
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at >= len(self._text)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise NotStructuredError(f"unexpected text at {self._at}")
        self._at = found.end()
        return found

    def skip(self, character: str) -> bool:
        if not self._text.startswith(character, self._at):
            return False
        self._at += len(character)
        return True

    def skip_all(self, characters: str) -> None:
        while not self.is_at_end and self._text[self._at] in characters:
            self._at += 1

    def next_member(self) -> None:
        self.skip_all(" \t")
        if self.is_at_end:
            return
        if not self.skip(","):
            raise NotStructuredError(f"no comma at {self._at}")
        self.skip_all(" \t")
        if self.is_at_end:
            raise NotStructuredError("a comma at the end")

    def member(self) -> Member:
        if not self.skip("("):
            item: Member = self._bare_item()
            self._parameters()
            return item
        items: list[BareItem] = []
        while True:
            self.skip_all(" ")
            if self.skip(")"):
                self._parameters()
                return InnerList(tuple(items))
            items.append(self._bare_item())
            self._parameters()
            if not self._text.startswith((" ", ")"), self._at):
                raise NotStructuredError(f"an inner list goes wrong at {self._at}")

    def true(self) -> bool:
        self._parameters()
        return True

    def _parameters(self) -> None:
        while self.skip(";"):
            self.skip_all(" ")
            self.take(_KEY)
            if self.skip("="):
                self._bare_item()

    def _bare_item(self) -> BareItem:
        first = self._text[self._at : self._at + 1]
        if first == "-" or first.isdigit():
            return self._number()
        if first == '"':
            return _ESCAPED.sub(r"\1", self.take(_STRING)[1])
        if first == "?":
            return self.take(re.compile(r"\?[01]"))[0] == "?1"
        if first == "@":
            self._at += 1
            seconds = self._number()
            if not isinstance(seconds, int):
                raise NotStructuredError("a date with a fraction")
            return Instant(seconds)
        if first == ":":
            try:
                return b64decode(self.take(_BYTES)[1])
            except Base64Error:
                raise NotStructuredError("not base64") from None
        if first == "%":
            try:
                return unquote_to_bytes(self.take(_DISPLAY)[1]).decode("utf-8")
            except UnicodeDecodeError:
                raise NotStructuredError("not UTF-8") from None
        return Token(self.take(_TOKEN)[0])

    def _number(self) -> int | Decimal:
        found = self.take(_NUMBER)
        whole, fraction = found[1], found[2]
        if fraction is None:
            if len(whole) > 15:
                raise NotStructuredError("an integer of more than 15 digits")
            return int(found[0])
        if len(whole) > 12 or len(fraction) > 3:
            raise NotStructuredError("a decimal of more than 12 and 3 digits")
        return Decimal(found[0])
