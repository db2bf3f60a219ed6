"""The rules file: JSON, or JSON that went through a Markdown editor and came back with backslashes in it.

A backslash is dropped where JSON knows no such escape (``\\*``, ``\\_``) and outside of texts. Patterns in the
file are kept as they are and never run: a file must not bring a slow expression with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.formats.json_text import NotJsonError, read_json
from steinmetz.erp.modules.catalog.formats.lines import lines_of
from steinmetz.erp.modules.catalog.lint import LintRules
from steinmetz.erp.modules.catalog.rules import Kind

NAME = re.compile(r"_0_REGELN", re.IGNORECASE)
MAX_RULES_CHARS = 100_000

_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_FENCE = re.compile(r"\s*```\w*\s*")

USED = frozenset(
    {"version", "locale", "maxDepth", "itemIfNoChildren", "idPolicy", "order", "kinds", "emojiKindMap"}
    | {"emojiAsKind", "validation", "pruneBeyondMax"}
)
"""Top members that something here obeys, or says that it does not."""


def is_rules_file(name: str) -> bool:
    """By its name alone: a rules file may be called ``.md``, ``.json`` or ``.jsonl``."""
    return NAME.match(name) is not None


def read_rules(data: bytes, findings: Findings) -> dict[str, Any] | None:
    """The document; None, and an error among ``findings``, if it cannot be used."""
    lines = lines_of(data, findings)
    if findings.first_error is not None:
        return None
    text = "\n".join("" if _FENCE.fullmatch(line) else line for line in lines)
    if len(text) > MAX_RULES_CHARS:
        findings.error(Code.BAD_RULES, 0, f"A rules file has at most {MAX_RULES_CHARS} characters.")
        return None
    mended = _mended(text, findings)
    try:
        document = read_json(mended)
        if not isinstance(document, dict):
            raise ValueError("it is not an object in braces")
        rules = LintRules.of(document)
    except ValueError as error:
        line = error.line if isinstance(error, NotJsonError) else 0
        findings.error(
            Code.BAD_RULES,
            line,
            f"The rules cannot be used: {error}.",
            "".join(lines[line - 1 : line]) if line else "",
        )
        return None
    _say_what_is_not_applied(document, rules, lines, findings)
    return document


def _mended(text: str, findings: Findings) -> str:
    """``text`` without the backslashes that JSON does not know."""
    pieces: list[str] = []
    line, is_inside, place, kept_to = 1, False, 0, 0
    while place < len(text):
        character = text[place]
        if character == "\n":
            line += 1
        elif character == '"':
            is_inside = not is_inside
        elif character == "\\":
            escape = _ESCAPE.match(text, place) if is_inside else None
            if escape is not None:
                place = escape.end()
                continue
            findings.warn(
                Code.STRAY_ESCAPE,
                line,
                "JSON knows no such escape; the backslash is dropped.",
                text[place : place + 2],
            )
            pieces.append(text[kept_to:place])
            kept_to = place + 1
        place += 1
    pieces.append(text[kept_to:])
    return "".join(pieces)


def _say_what_is_not_applied(
    document: dict[str, Any], rules: LintRules, lines: list[str], findings: Findings
) -> None:
    for member, reason in _not_applied(document, rules):
        line = next((number for number, text in enumerate(lines, 1) if f'"{member}"' in text), 0)
        findings.note(Code.NOT_APPLIED, line, reason, member)
    if unused := sorted(set(document) - USED):
        findings.note(Code.NOT_APPLIED, 0, f"Kept, but nothing here obeys them: {', '.join(unused)}.")


def _not_applied(document: dict[str, Any], rules: LintRules) -> Iterator[tuple[str, str]]:
    if document.get("pruneBeyondMax") is True:
        yield "pruneBeyondMax", "Nodes beyond maxDepth are told as findings and never pruned."
    order, id_policy = document.get("order", {}), document.get("idPolicy", {})
    if rules.sorts:
        yield "strategy", "Nodes stay in the order of their file; another order is told as a finding."
    if "overflowGroupTitle" in order:
        yield "overflowGroupTitle", "Groups beyond groupOverflowLimit are told as findings and never divided."
    if id_policy.get("idCase", "kebab") != "kebab":
        yield "idCase", "Ids are always in kebab-case."
    if id_policy.get("slug", {}).get("dedupe", True) is not True:
        yield "dedupe", "Ids are always distinct."
    known = {kind.value for kind in Kind}
    if strange := sorted(rules.allowed_kinds - known):
        yield "allowed", f"There is no kind {', '.join(strange)}; there are {', '.join(sorted(known))}."
    validation = document.get("validation", {})
    if unused := sorted(set(validation) - {"requireMetaForKinds"}):
        yield "validation", f"Kept, but nothing here checks them: {', '.join(unused)}."
