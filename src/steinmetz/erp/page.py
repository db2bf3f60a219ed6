"""The built web page, as files: the document is asked for each time, its assets are named by their content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from steinmetz.erp.errors import NotFound, Problem

STATIC = Path(__file__).resolve().parents[1] / "static"

FOREVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"


class Page(StaticFiles):
    """The files of the page. A path that is none of them is refused as everywhere else, by a problem document."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if path.startswith("api/") or scope["method"] not in {"GET", "HEAD"}:
            raise NotFound("path", f"/{path}")
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = FOREVER if path.startswith("assets/") else ASK_FIRST
        return response


def mount_page(api: FastAPI, folder: Path = STATIC) -> None:
    """Serve the page at ``/``, after all routes. Without a built page, ``/`` says how to build it."""
    if (folder / "index.html").exists():
        api.mount("/", Page(directory=folder, html=True), name="page")
        return

    @api.get("/", include_in_schema=False)
    async def missing() -> Any:
        raise Problem(404, "The web page is not built", "Run `python3 dev.py run`, or `python hatch_build.py`.")
