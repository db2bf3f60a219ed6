"""Which commit this is: told by whoever built it, or read from the clone that it runs in."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import steinmetz

_HASH = re.compile(r"[0-9a-f]{40,64}")


@cache
def commit(told: str | None = None, source: Path = Path(steinmetz.__file__).parent) -> str | None:
    """``told`` if given (STEINMETZ_COMMIT), else that of the Git clone around ``source``; None if unknown."""
    if told:
        return told
    try:
        return _checked_out(source.resolve())
    except OSError:
        return None


def _checked_out(source: Path) -> str | None:
    # <clone>/src/steinmetz; an installed package has no .git there.
    found = source.parent.parent / ".git"
    if found.is_file():  # of a linked work tree: "gitdir: <path>"
        found = found.parent / found.read_text().removeprefix("gitdir:").strip()
    head = (found / "HEAD").read_text().strip()
    if not head.startswith("ref:"):
        return head if _HASH.fullmatch(head) else None
    name = head.removeprefix("ref:").strip()
    shared = found / "commondir"
    folder = found / shared.read_text().strip() if shared.exists() else found
    if (loose := folder / name).is_file():
        return loose.read_text().strip()
    for line in (folder / "packed-refs").read_text().splitlines():
        hash_, _, ref = line.partition(" ")
        if ref == name:
            return hash_
    return None
