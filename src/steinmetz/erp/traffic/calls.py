"""What a clerk asks of the server, and what comes back; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request. ``route`` names it in reports, e.g. ``GET /api/invoices/{id}``.

    ``record`` is the kind of record that the answer shows (``invoice``, ``customer``, ``node``), empty if none.
    """

    route: str
    path: str
    body: Mapping[str, Any] | None = None
    record: str = ""

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    @property
    def is_write(self) -> bool:
        return self.method != "GET"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. ``document`` is its JSON, None where there is none; ``x_cache`` the header, empty if absent."""

    status: int
    document: Any
    x_cache: str = ""

    @property
    def is_good(self) -> bool:
        return self.status < 400

    @property
    def data(self) -> Any:
        """The contracted ``data`` of a success; an empty dict where there is none."""
        return self.document.get("data", {}) if isinstance(self.document, dict) else {}
