"""The file in the data folder by which a server hands its workload to ``steinmetz advise``.

It holds values that were bound to statements, so it goes through the folder that only its owner may enter, never
over HTTP.
"""

from __future__ import annotations

import os
from pathlib import Path

from steinmetz.clock import Clock
from steinmetz.monitor.advisor.workload import Workload
from steinmetz.monitor.advisor.workload_file import to_text

WORKLOAD_FILE = "workload.json"


def write_workload(folder: Path, workload: Workload, clock: Clock) -> Path:
    """Write it for the owner only, in one step: a reader finds the whole of it or the one before.

    Raises `OSError`.
    """
    text = to_text(workload, clock.now().isoformat(timespec="seconds").replace("+00:00", "Z"))
    path, draft = folder / WORKLOAD_FILE, folder / f".{WORKLOAD_FILE}.{os.getpid()}"
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path
