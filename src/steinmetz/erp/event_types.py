"""TypeScript types of the events, for the page: ``python -m steinmetz.erp.event_types FILE [--check]``.

``dev.py types`` writes them, ``dev.py check`` compares: who renames an event breaks the build of the page.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from steinmetz.erp.generated_file import keep
from steinmetz.erp.main import create_app
from steinmetz.erp.settings import load_settings
from steinmetz.realtime.events import typescript

HEAD = "The events of the server. Made from their schemas by `python3 dev.py types`: not to be changed by hand."


def event_types() -> str:
    """The module's text, of an application with default settings that is never started."""
    with TemporaryDirectory() as folder:
        io = create_app(load_settings(data_dir=Path(folder))).state.io
        assert io is not None
        return typescript(io.registries["/"], head=HEAD)


def main(arguments: list[str]) -> int:
    """Write the file, or (``--check``) say whether it is as it should be."""
    return keep(arguments, event_types, "the schemas of the events say")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
