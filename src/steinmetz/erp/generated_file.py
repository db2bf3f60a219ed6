"""A file that is made from the code and committed: it is written, or compared with what it should be."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def keep(arguments: Sequence[str], make: Callable[[], str], source: str) -> int:
    """``FILE [--check]``: write what ``make()`` returns, or say whether it is there; the exit status.

    ``source``: what the file tells of, for whoever reads that it does not.
    """
    file, told = Path(arguments[0]), make()
    if "--check" not in arguments[1:]:
        file.write_text(told)
        return 0
    if file.exists() and file.read_text() == told:
        return 0
    sys.stderr.write(f"{file} is not what {source}: run python3 dev.py types\n")
    return 1
