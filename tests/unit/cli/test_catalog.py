"""``steinmetz catalog import``: folders and files, what is said of each, and how it ends."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from steinmetz.cli.main import app

LAGER = "## 📦 Lager\n\n├── 🏷️ Bestand\n│ ├️⃣ 📋 Zählung\n└── 🚚 Versand\n"

BEYOND = "1 nodes below it lie deeper than the 2 levels of the rules; they stay."
FOREIGN = "Byte 5 is not UTF-8 (invalid start byte); save it as UTF-8."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A migrated database beside it."""
    assert CliRunner().invoke(app, ["migrate"]).exit_code == 0
    folder = tmp_path / "katalog"
    (folder / "mehr").mkdir(parents=True)
    (folder / "_7_Lager.md").write_text(LAGER)
    (folder / "mehr" / "vertrieb.jsonl").write_text('{"id": "a", "title": "Angebote"}\n')
    (folder / "_0_REGELN.md").write_text('{"maxDepth": 2, "idPolicy": {"idCase": "snake"}}')
    (folder / "package.json").write_text("{}")
    (folder / "notizen.txt").write_text("nichts")
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["catalog", "import", *map(str, arguments)])


def nodes() -> int:
    with sqlite3.connect("data/steinmetz.db") as connection:
        return int(connection.execute("SELECT count(*) FROM function_nodes").fetchone()[0])


def test_a_folder_goes_in_with_everything_below_it_and_once(folder: Path) -> None:
    done = run(folder)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "_0_REGELN.md: rules, in force now",
        "  _0_REGELN.md:1: not-applied: Ids are always in kebab-case. [idCase]",
        "_7_Lager.md: 4 nodes, 1 malformed branches; 4 created",
        "  _7_Lager.md:4: malformed-branch: After ├ there is no ──; its title is a node. [│ ├️⃣ 📋 Zählung]",
        f"  _7_Lager.md:3: beyond-depth: {BEYOND} [Bestand]",
        "vertrieb.jsonl: 2 nodes, 0 malformed branches; 2 created",
    ]
    again = run(folder)
    assert [line for line in again.stdout.splitlines() if line[0] != " "] == [
        "_0_REGELN.md: rules, 0 changes",
        "_7_Lager.md: 4 nodes, 1 malformed branches; 0 changes",
        "vertrieb.jsonl: 2 nodes, 0 malformed branches; 0 changes",
    ]
    assert nodes() == 6


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    done = run("--dry-run", folder)
    assert done.exit_code == 0
    assert "_0_REGELN.md: rules, would be in force" in done.stdout
    assert "_7_Lager.md: 4 nodes, 1 malformed branches; would be 4 created" in done.stdout
    assert nodes() == 0


def test_a_refused_file_is_status_1_and_the_others_go_in(folder: Path) -> None:
    (folder / "_8_kaputt.md").write_bytes("## Größe\n".encode("latin-1"))
    done = run(folder / "_8_kaputt.md", folder / "_7_Lager.md")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[:2] == [
        "_8_kaputt.md: refused, nothing of it was changed",
        f"  _8_kaputt.md:1: not-utf8: {FOREIGN} [## Gr\ufffd\ufffde]",
    ]
    assert nodes() == 4


def test_what_is_named_is_not_passed_over(folder: Path) -> None:
    done = run(folder / "package.json")
    assert done.exit_code == 1
    assert "package.json: unknown-format" in done.stdout


def test_more_findings_than_are_shown_are_counted(folder: Path) -> None:
    (folder / "_7_Lager.md").write_text(LAGER + "Text\n" * 130)
    assert "  and 30 more findings of the same kinds" in run(folder / "_7_Lager.md").stdout


def test_as_json_it_is_what_the_server_would_answer(folder: Path) -> None:
    done = run("--json", folder)
    told = json.loads(done.stdout)
    assert told["dryRun"] is False
    assert [(file["name"], file["created"]) for file in told["files"]] == [
        ("_0_REGELN.md", 0),
        ("_7_Lager.md", 4),
        ("vertrieb.jsonl", 2),
    ]
    assert told["files"][1]["findingCounts"] == {"malformed-branch": 1, "beyond-depth": 1}


@pytest.mark.parametrize(
    ("path", "says"),
    [("nirgends.md", "nirgends.md: there is no such file or folder"), ("katalog/leer", "in this folder")],
)
def test_what_cannot_begin_is_one_line_and_status_2(folder: Path, path: str, says: str) -> None:
    (folder / "leer").mkdir()
    done = run(path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_database_that_is_not_migrated_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(LAGER)
    done = run("a.md")
    assert done.exit_code == 2
    assert "run `steinmetz migrate`" in done.stderr
    assert not (tmp_path / "data" / "steinmetz.db").exists()
