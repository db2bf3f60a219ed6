"""Files of a catalogue over HTTP: both forms of the body, rights, bounds, and a report for each file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog.formats.lines import MAX_FILE_BYTES
from steinmetz.erp.modules.catalog.schemas import MAX_FILES
from steinmetz.erp.settings import Settings
from tests.app.conftest import settings_for

pytestmark = pytest.mark.anyio

SignIn = Callable[[Role | str], Awaitable[httpx2.AsyncClient]]

PATH = "/api/functions"
IMPORT = f"{PATH}/import"
LAGER = "## 📦 Lager\n\n├── 🏷️ Bestand\n│ ├️⃣ 📋 Zählung\n└── 🚚 Versand\n"
VERTRIEB = '{"id": "angebote", "parent_id": null, "title": "📄 Angebote"}\n'


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """The edge lets more pass than an import may have, so that the import's own bound is met."""
    return settings_for(tmp_path, database_url, max_body_bytes=20_000_000)


def upload(name: str, data: str | bytes) -> tuple[str, tuple[str, bytes]]:
    return "files", (name, data if isinstance(data, bytes) else data.encode())


async def reports(answer: Awaitable[httpx2.Response]) -> list[dict[str, Any]]:
    done = await answer
    assert done.status_code == 200, done.text
    files: list[dict[str, Any]] = done.json()["data"]["files"]
    return files


def is_problem(answer: httpx2.Response, status: int) -> bool:
    assert answer.status_code == status, answer.text
    return answer.headers["content-type"] == "application/problem+json" and answer.json()["success"] is False


@pytest.mark.both_databases
async def test_several_files_of_a_form_go_in(sign_in: SignIn, engine_name: str) -> None:
    manager = await sign_in("manager")
    first, second = await reports(
        manager.post(IMPORT, files=[upload("_7_Lager.md", LAGER), upload("vertrieb.jsonl", VERTRIEB)])
    )
    assert (first["name"], first["format"], first["nodes"], first["malformed"]) == (
        "_7_Lager.md",
        "markdown",
        4,
        1,
    )
    assert (first["created"], second["created"]) == (4, 2)
    assert first["refused"] is None
    assert first["findings"] == [
        {
            "code": "malformed-branch",
            "severity": "warning",
            "line": 4,
            "reason": "After ├ there is no ──; its title is a node.",
            "text": "│ ├️⃣ 📋 Zählung",
            "nodeId": "lager/bestand/zaehlung",
        }
    ]
    assert first["findingCounts"] == {"malformed-branch": 1}
    node = (await manager.get(f"{PATH}/nodes/lager/bestand/zaehlung")).json()["data"]
    assert (node["title"], node["icon"], node["source"]) == ("Zählung", "📋", "_7_Lager.md")
    found = (await manager.get(f"{PATH}/search?q=angeb")).json()["data"]
    assert [hit["id"] for hit in found] == ["vertrieb-jsonl/angebote"]


async def test_the_same_files_as_json_change_nothing_more(sign_in: SignIn) -> None:
    manager = await sign_in("manager")
    await reports(manager.post(IMPORT, files=[upload("_7_Lager.md", LAGER)]))
    (again,) = await reports(manager.post(IMPORT, json={"files": [{"name": "ordner/_7_Lager.md", "text": LAGER}]}))
    assert (again["name"], again["created"], again["changed"], again["moved"], again["deleted"]) == (
        "_7_Lager.md",
        0,
        0,
        0,
        0,
    )


async def test_kept_answers_are_dropped_when_a_file_goes_in(sign_in: SignIn) -> None:
    manager = await sign_in("manager")
    for _ in range(2):
        before = await manager.get(PATH)
    assert (before.headers["x-cache"], before.json()["data"]) == ("HIT", [])
    await reports(manager.post(IMPORT, json={"files": [{"name": "a.md", "text": LAGER}]}))
    assert [area["id"] for area in (await manager.get(PATH)).json()["data"]] == ["lager"]


async def test_a_dry_run_writes_nothing(sign_in: SignIn) -> None:
    manager = await sign_in("manager")
    answer = await manager.post(IMPORT, params={"dryRun": "true"}, files=[upload("a.md", LAGER)])
    assert answer.json()["data"]["dryRun"] is True
    assert answer.json()["data"]["files"][0]["created"] == 4
    assert (await manager.get(PATH)).json()["data"] == []


async def test_a_bad_file_beside_a_good_one_is_refused_with_its_place(sign_in: SignIn) -> None:
    manager = await sign_in("manager")
    bad, good = await reports(
        manager.post(IMPORT, files=[upload("b.md", "## Größe".encode("latin-1")), upload("a.md", LAGER)])
    )
    assert (bad["refused"]["code"], bad["refused"]["line"]) == ("not-utf8", 1)
    assert good["created"] == 4


async def test_if_no_file_goes_in_it_is_a_problem_with_the_reports(sign_in: SignIn) -> None:
    manager = await sign_in("manager")
    answer = await manager.post(IMPORT, json={"files": [{"name": "a.md", "text": "## A\n├── \u0000"}]})
    assert is_problem(answer, 422)
    assert "a.md: There is a NUL" in answer.json()["detail"]
    assert answer.json()["files"][0]["refused"]["code"] == "nul-byte"


async def test_who_may_import_what(sign_in: SignIn, client: httpx2.AsyncClient) -> None:
    body = {"files": [{"name": "a.md", "text": LAGER}]}
    assert is_problem(await client.post(IMPORT, json=body), 401)
    for role in ("clerk", "auditor"):
        assert is_problem(await (await sign_in(role)).post(IMPORT, json=body), 403)
    rules = {"files": [{"name": "_0_REGELN.md", "text": '{"maxDepth": 4}'}]}
    manager, admin = await sign_in("manager"), await sign_in("admin")
    refused = await manager.post(IMPORT, json=rules)
    assert is_problem(refused, 422)
    assert refused.json()["files"][0]["refused"]["code"] == "role-needed"
    assert (await reports(admin.post(IMPORT, json=rules)))[0]["changed"] == 1
    assert (await admin.get(f"{PATH}/rules")).json()["data"]["document"] == {"maxDepth": 4}


FIELD = b"Content-Disposition: form-data"


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("text/plain", b"## A", 415),
        (None, b"## A", 415),
        ("application/json", b"", 422),
        ("application/json", b"{", 422),
        ("application/json", b"[]", 422),
        ("application/json", b'{"files": []}', 422),
        ("application/json", b'{"files": [{"name": "a.md"}]}', 422),
        ("application/json", b'{"files": [{"name": "a.md", "text": "x", "folder": "y"}]}', 422),
        ("application/json", b'{"files": [{"name": "..//", "text": "x"}]}', 422),
        ("application/json", b'{"files": [{"name": "\\u0000", "text": "x"}]}', 422),
        ("application/json", b'{"files": [{"name": "a.md", "text": "\\ud800"}]}', 422),
        ("application/json", b"\xff\xfe", 422),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=", b"x", 400),
        ("multipart/form-data; boundary=b", b"", 422),
        ("multipart/form-data; boundary=b", b"garbage", 400),
        ("multipart/form-data; boundary=b", b"--b\r\ngarbage\r\n--b--\r\n", 400),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n--b--',
            422,
        ),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data\r\n\r\ny\r\n--b--", 400),
    ],
    ids=range(19),
)
async def test_a_body_that_makes_no_sense_is_a_problem(
    sign_in: SignIn, content_type: str | None, body: bytes, status: int
) -> None:
    manager = await sign_in("manager")
    headers = {"Content-Type": content_type} if content_type is not None else {}
    assert is_problem(await manager.post(IMPORT, content=body, headers=headers), status)


async def test_as_many_and_as_large_files_as_are_promised_go_in(sign_in: SignIn) -> None:
    manager = await sign_in("manager")
    many = [upload(f"_{number}_Lager.md", f"## Lager {number}\n") for number in range(1, MAX_FILES + 1)]
    taken = await reports(manager.post(IMPORT, params={"dryRun": "true"}, files=many))
    assert [report["refused"] for report in taken] == [None] * MAX_FILES
    large = "## Lager\n" + "".join(f"├── Regal {number} {'x' * 150}\n" for number in range(9_000))
    assert len(large.encode()) > 1_000_000
    (report,) = await reports(
        manager.post(IMPORT, params={"dryRun": "true"}, files=[upload("_1_Lager.md", large)])
    )
    assert report["nodes"] == 9_001, report


async def test_an_import_is_bounded_in_files_and_bytes(sign_in: SignIn) -> None:
    manager = await sign_in("manager")
    many = [upload(f"{number}.md", LAGER) for number in range(MAX_FILES + 1)]
    assert is_problem(await manager.post(IMPORT, files=many), 400)
    texts = [{"name": f"{number}.md", "text": "## A"} for number in range(MAX_FILES + 1)]
    assert is_problem(await manager.post(IMPORT, json={"files": texts}), 422)
    large = await manager.post(IMPORT, files=[upload("a.md", b" " * MAX_FILE_BYTES)])
    assert is_problem(large, 413)
    assert str(MAX_FILE_BYTES) in large.json()["detail"]
    assert is_problem(await manager.post(IMPORT, params={"dryrun": "1"}, files=many[:1]), 422)
    assert (await manager.get(PATH)).json()["data"] == []


async def test_an_import_stands_in_the_audit_log_under_its_request(sign_in: SignIn) -> None:
    admin = await sign_in("admin")
    answer = await admin.post(IMPORT, files=[upload("_7_Lager.md", LAGER)])
    (entry,) = (await admin.get("/api/audit?action=catalog.import")).json()["data"]
    assert (entry["entityId"], entry["requestId"]) == ("_7_Lager.md", answer.headers["x-request-id"])
    assert entry["actorName"] == "Admin Beispiel"
    assert entry["after"]["created"] == 4
