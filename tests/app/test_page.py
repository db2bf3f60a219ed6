"""The page's files, and what is not one of them."""

from __future__ import annotations

import gzip
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI

from steinmetz.erp.errors import install_problem_handlers
from steinmetz.erp.page import ASK_FIRST, FOREVER, mount_page

pytestmark = pytest.mark.anyio


def served(folder: Path) -> httpx2.AsyncClient:
    api = FastAPI()
    install_problem_handlers(api)

    @api.post("/api/invoices")
    async def draft() -> None: ...

    mount_page(api, folder)
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(api), base_url="http://testserver")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>SteinmetZ</title>")
    (tmp_path / "assets" / "index-abc.js").write_text("1")
    return tmp_path


async def test_the_document_is_asked_for_each_time_and_its_assets_are_kept_forever(built: Path) -> None:
    async with served(built) as http:
        document, asset = await http.get("/"), await http.get("/assets/index-abc.js")
    assert (document.status_code, document.headers["cache-control"]) == (200, ASK_FIRST)
    assert (asset.status_code, asset.headers["cache-control"]) == (200, FOREVER)


@pytest.mark.parametrize("wanted", ["bytes=0-3", "bytes=9999-", "bytes=5-2", "nonsense"])
async def test_a_range_is_ignored_for_files_this_small(built: Path, wanted: str) -> None:
    async with served(built) as http:
        answer = await http.get("/", headers={"Range": wanted})
    assert (answer.status_code, answer.text) == (200, "<title>SteinmetZ</title>")
    assert answer.headers["accept-ranges"] == "none"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/nothing", 404),
        ("GET", "/assets/../../secret", 404),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "/api/invoices", 405),
        ("DELETE", "/", 404),
    ],
)
async def test_what_is_no_file_is_refused_like_everything_else(
    built: Path, method: str, path: str, status: int
) -> None:
    async with served(built) as http:
        answer = await http.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["success"] is False


@pytest.mark.parametrize("path", ["/customers", "/customers/17/edit", "/catalogue/a/b.c"])
async def test_an_address_of_the_page_gives_a_browser_the_document(built: Path, path: str) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    async with served(built) as http:
        shown, told = await http.get(path, headers=browser), await http.get(path)
        unknown = await http.get("/api/nothing", headers=browser)
        gone = await http.get("/assets/index-old.js", headers=browser)
    assert (shown.status_code, shown.text) == (200, "<title>SteinmetZ</title>")
    assert (shown.headers["cache-control"], shown.headers["vary"]) == (ASK_FIRST, "Accept")
    assert (told.status_code, unknown.status_code, gone.status_code) == (404, 404, 404)
    assert unknown.headers["content-type"] == "application/problem+json"


async def test_an_asset_goes_out_as_the_gzip_that_was_made_of_it(built: Path) -> None:
    (built / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(b"1"))
    async with served(built) as http:
        packed = await http.get("/assets/index-abc.js", headers={"Accept-Encoding": "br, gzip"})
        again = await http.get("/assets/index-abc.js", headers={"If-None-Match": packed.headers["etag"]})
        plain = await http.get("/assets/index-abc.js", headers={"Accept-Encoding": "gzip;q=0"})
        document = await http.get("/", headers={"Accept-Encoding": "gzip"})
    assert (packed.headers["content-encoding"], packed.text) == ("gzip", "1")
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in plain.headers
    assert plain.text == "1"
    assert packed.headers["etag"] != plain.headers["etag"]
    assert (again.status_code, packed.headers["cache-control"]) == (304, FOREVER)
    assert "content-encoding" not in document.headers


async def test_a_page_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    async with served(tmp_path) as http:
        answer = await http.get("/")
    assert answer.status_code == 404
    assert "python3 dev.py run" in answer.json()["detail"]
