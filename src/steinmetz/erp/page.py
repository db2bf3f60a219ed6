"""The built web page, as files: the document is asked for each time, its assets are named by their content.

Addresses such as ``/customers/17`` are the page's own: a browser that asks for one gets the document, which shows
what the address means. Whoever does not ask for HTML is told that there is nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from steinmetz.erp.errors import Problem

STATIC = Path(__file__).resolve().parents[1] / "static"

FOREVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"


class PageMount(Mount):
    """Everything that is read and no route's: other requests are left to the router, which knows 404 from 405."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        is_read = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
        if not is_read or scope["path"].startswith("/api/"):
            return Match.NONE, {}
        return super().matches(scope)


class Page(StaticFiles):
    """The files of the page, with how long a browser may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException as missing:
            if missing.status_code != 404 or path.startswith("assets/") or not _wants_html(scope):
                raise
            response = await super().get_response("index.html", scope)
            response.headers["vary"] = "Accept"
        response.headers["cache-control"] = FOREVER if path.startswith("assets/") else ASK_FIRST
        response.headers["accept-ranges"] = "none"
        return response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # "A server MAY ignore the Range header field" (RFC 9110, 14.2): nobody resumes files so small, and
        # Starlette would refuse a wrong range in plain text.
        headers = [line for line in scope["headers"] if line[0] != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)


def _wants_html(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


def mount_page(api: FastAPI, folder: Path = STATIC) -> None:
    """Serve the page at ``/``, after all routes. Without a built page, ``/`` says how to build it."""
    if (folder / "index.html").exists():
        api.router.routes.append(PageMount("/", Page(directory=folder, html=True), name="page"))
        return

    @api.get("/", include_in_schema=False)
    async def missing() -> Any:
        raise Problem(404, "The web page is not built", "Run `python3 dev.py run`, or `python hatch_build.py`.")
