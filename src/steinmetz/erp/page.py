"""The built web page, as files: the document is asked for each time, its assets are named by their content.

Addresses such as ``/customers/17`` are the page's own: a browser that asks for one gets the document, which shows
what the address means. Whoever does not ask for HTML is told that there is nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from steinmetz.cache.policy.codings import GZIP, acceptable
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
        response = await self._packed(path, scope) or await self._plain(path, scope)
        response.headers["cache-control"] = FOREVER if path.startswith("assets/") else ASK_FIRST
        response.headers["accept-ranges"] = "none"
        return response

    async def _packed(self, path: str, scope: Scope) -> Response | None:
        """The gzip that was made of an asset when the page was built, if there is one and the browser takes it."""
        if not path.startswith("assets/") or GZIP not in acceptable(_field(scope, b"accept-encoding"), (GZIP,)):
            return None
        full_path, found = await to_thread.run_sync(self.lookup_path, f"{path}.gz")
        if found is None:
            return None
        response = self.file_response(full_path, found, scope)
        response.headers["content-encoding"] = "gzip"
        response.headers["vary"] = "Accept-Encoding"
        return response

    async def _plain(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException as missing:
            wants_html = b"text/html" in (_field(scope, b"accept") or b"")
            if missing.status_code != 404 or path.startswith("assets/") or not wants_html:
                raise
            response = await super().get_response("index.html", scope)
            response.headers["vary"] = "Accept"
        if path.startswith("assets/"):
            response.headers["vary"] = "Accept-Encoding"
        return response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # "A server MAY ignore the Range header field" (RFC 9110, 14.2): nobody resumes files so small, and
        # Starlette would refuse a wrong range in plain text.
        headers = [line for line in scope["headers"] if line[0] != b"range"]
        await super().__call__({**scope, "headers": headers}, receive, send)


def _field(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)


def mount_page(api: FastAPI, folder: Path = STATIC) -> None:
    """Serve the page at ``/``, after all routes. Without a built page, ``/`` says how to build it."""
    if (folder / "index.html").exists():
        api.router.routes.append(PageMount("/", Page(directory=folder, html=True), name="page"))
        return

    @api.get("/", include_in_schema=False)
    async def missing() -> Any:
        raise Problem(404, "The web page is not built", "Run `python3 dev.py run`, or `python hatch_build.py`.")
