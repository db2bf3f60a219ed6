"""What `doctor` looked at and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    FINE = "fine"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what was found, and how to mend it."""

    check: str
    verdict: Verdict
    message: str
    mend: str = ""


def fine(check: str, message: str) -> Finding:
    return Finding(check, Verdict.FINE, message)


def warning(check: str, message: str, mend: str) -> Finding:
    return Finding(check, Verdict.WARNING, message, mend)


def fault(check: str, message: str, mend: str) -> Finding:
    return Finding(check, Verdict.FAULT, message, mend)
