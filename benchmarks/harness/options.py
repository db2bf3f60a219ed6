"""How a benchmark was asked to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.harness.pinning import Cores

CACHE = Path(__file__).resolve().parent.parent / ".cache"
"""Compiled load clients, installed peers and server logs; never committed."""


def _say_nothing(line: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Options:
    """``quick`` asks for an answer within 50 s, for which a benchmark measures less, never differently."""

    quick: bool = False
    cores: Cores = field(default_factory=Cores.of_this_machine)
    may_install: bool = False
    """Whether Debian packages of peers may be installed, given root."""
    say: Callable[[str], None] = _say_nothing
    """Progress, one line at a time."""
