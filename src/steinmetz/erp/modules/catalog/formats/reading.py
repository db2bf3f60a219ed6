"""Which format a file has, and what it says in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.formats.jsonl import read_jsonl
from steinmetz.erp.modules.catalog.formats.markdown import read_markdown
from steinmetz.erp.modules.catalog.formats.outline import Outline
from steinmetz.erp.modules.catalog.formats.rules import is_rules_file, read_rules


class Format(StrEnum):
    MARKDOWN = "markdown"
    JSONL = "jsonl"
    RULES = "rules"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Reading:
    """What is in a file; without meaning once ``findings`` hold an error."""

    format: Format
    outline: Outline = field(default_factory=Outline)
    document: dict[str, Any] = field(default_factory=dict)
    """Of a rules file."""
    findings: Findings = field(default_factory=Findings)


def format_of(name: str) -> Format:
    """By the name alone."""
    if is_rules_file(name):
        return Format.RULES
    ending = name.lower().rpartition(".")[2]
    return {"md": Format.MARKDOWN, "markdown": Format.MARKDOWN, "jsonl": Format.JSONL}.get(ending, Format.UNKNOWN)


def read(name: str, data: bytes) -> Reading:
    """Never raises, whatever the bytes are."""
    reading = Reading(format_of(name))
    match reading.format:
        case Format.RULES:
            reading.document = read_rules(data, reading.findings) or {}
        case Format.MARKDOWN:
            reading.outline = read_markdown(name.rpartition(".")[0], data, reading.findings)
        case Format.JSONL:
            reading.outline = read_jsonl(name, data, reading.findings)
        case Format.UNKNOWN:
            reason = "The name ends with neither .md nor .jsonl, and does not begin with _0_REGELN."
            reading.findings.error(Code.UNKNOWN_FORMAT, 0, reason, name)
    return reading
