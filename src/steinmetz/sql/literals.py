"""Which quoted words of a statement are values, and what a setting is set to: neither may be shown.

Double quotes mark a name, but SQLite takes ``token = "x"`` for the string if there is no column x, and MySQL does
so at any rate. A quoted word is shown where only a name can stand, or if it stands in such a place elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steinmetz.sql.shape import Token

_SETTING = frozenset({"pragma", "set"})
_NAMING = frozenset({"create", "alter", "drop", "comment", "grant", "revoke", "reindex", "savepoint", "release"})
_BEFORE_A_VALUE = frozenset(
    {"=", "<", ">", "|", "+", "-", "/", "%", "!", "~", "&", "is", "like", "ilike", "glob", "match", "regexp",
     "escape", "between", "then", "else", "case", "when", "return", "default", "key"}
)  # fmt: skip
_BEFORE_A_NAME = frozenset({"from", "join", "into", "update", "table", "as", "only", "set", "with", "conflict"})
_LISTS_OF_VALUES = frozenset({"in", "values", "any", "all"})
_LISTS_OF_NAMES = frozenset({"conflict", "using", "key"})


def without_values(tokens: Sequence[Token], head: str) -> tuple[list[Token], list[Token]]:
    """The tokens that tell statements apart, and those that may be shown; ``head`` is the first word."""
    if head in _SETTING or (head == "alter" and _sets(tokens)):
        signs = (index for index, token in enumerate(tokens) if token.text in ("=", "(") or token.keyword == "to")
        begin = next(signs, None)
        kept = (
            list(tokens) if begin is None else [*tokens[: begin + 1], *map(_hidden, tokens[begin + 1 : begin + 2])]
        )
        return kept, kept
    quoted = [index for index, token in enumerate(tokens) if token.kind == "quoted"]
    if not quoted:
        return list(tokens), list(tokens)
    places = {index: _place(tokens, index) for index in quoted}
    names = {tokens[index].name for index, place in places.items() if place == "name"}
    told, shown = list(tokens), list(tokens)
    for index, place in places.items():
        if place == "value":
            told[index] = shown[index] = _hidden(tokens[index])
        elif place == "either" and head not in _NAMING and tokens[index].name not in names:
            shown[index] = _hidden(tokens[index])
    return told, shown


def _sets(tokens: Sequence[Token]) -> bool:
    """Whether an ALTER sets a role's, a database's or the server's setting."""
    return len(tokens) > 1 and tokens[1].keyword in ("role", "user", "database", "system")


def _hidden(token: Token) -> Token:
    return replace(token, kind="value", text="?", name="")


def _place(tokens: Sequence[Token], index: int) -> str:
    """Whether a "name" or a "value" stands here; "either" if that cannot be told."""
    before = tokens[index - 1] if index else None
    after = tokens[index + 1].text if index + 1 < len(tokens) else ""
    if after in (".", "(") or before is None or before.text == "." or before.keyword in _BEFORE_A_NAME:
        return "name"
    if before.text in _BEFORE_A_VALUE or before.keyword in _BEFORE_A_VALUE:
        return "value"
    if before.text in ("(", ","):
        return _place_in_list(tokens, index, after)
    return "either"


def _place_in_list(tokens: Sequence[Token], index: int, after: str) -> str:
    depth = tokens[index].depth
    opening = index - 1
    while opening >= 0 and not (tokens[opening].text == "(" and tokens[opening].depth < depth):
        if tokens[opening].keyword == "set" and tokens[opening].depth == depth:
            return "name" if after == "=" else "either"  # SET a = 1, "b" = 2
        opening -= 1
    before = tokens[opening - 1] if opening > 0 else None
    if before is None:
        return "either"
    if before.keyword in _LISTS_OF_VALUES or before.text in (",", ")"):  # VALUES (1), ("x")
        return "value"
    if before.keyword in _LISTS_OF_NAMES or _follows_into(tokens, opening - 1):
        return "name"
    return "either"


def _follows_into(tokens: Sequence[Token], index: int) -> bool:
    """Whether the name that ends at ``index`` is the table of an INSERT."""
    while index >= 2 and tokens[index - 1].text == ".":
        index -= 2
    return index >= 1 and tokens[index - 1].keyword == "into"
