"""The files of the first customer, which are not in this repository: what is known of them is found in them.

STEINMETZ_CATALOG_SAMPLES names their folder.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from steinmetz.clock import FakeClock
from steinmetz.erp import migrations
from steinmetz.erp.db import Database
from steinmetz.erp.kit.roles import SYSTEM
from steinmetz.erp.migrations.schema import schema
from steinmetz.erp.modules.catalog.formats.findings import Code
from steinmetz.erp.modules.catalog.formats.reading import Reading, read
from steinmetz.erp.modules.catalog.importing import SourceFile, import_files

SAMPLES = os.environ.get("STEINMETZ_CATALOG_SAMPLES", "")

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not SAMPLES, reason="STEINMETZ_CATALOG_SAMPLES names no folder of sample files"),
]


def sample(beginning: str, ending: str = ".md") -> Path:
    (found,) = [path for path in Path(SAMPLES).rglob(f"*{ending}") if path.name.startswith(beginning)]
    return found


def reading(beginning: str, ending: str = ".md") -> Reading:
    path = sample(beginning, ending)
    return read(path.name, path.read_bytes())


COUNTED = [("_1_", 532, 2), ("_3_", 1067, 2), ("_8_", 1157, 0)]


@pytest.mark.parametrize(("beginning", "nodes", "malformed"), COUNTED)
def test_nodes_and_malformed_branches_are_counted_truly(beginning: str, nodes: int, malformed: int) -> None:
    found = reading(beginning)
    assert (len(found.outline.entries), found.outline.malformed) == (nodes, malformed)
    assert found.findings.counts == ({Code.MALFORMED_BRANCH: malformed} if malformed else {})
    assert all(entry.icon or entry.title.startswith("Kurz") for entry in found.outline.entries)


@pytest.mark.parametrize(
    ("beginning", "title", "parent"),
    [
        ("_1_", "Umsatz pro Mitarbeiter", "Produktivitätskennzahlen"),
        ("_1_", "Kurzfristige Verbindlichkeiten", "Liquiditätsstatus"),
        ("_1_", "Prozess-Monitoring", "Executive Overview"),
        ("_8_", "Personalnummer", "Identifikationsdaten"),
    ],
)
def test_nodes_lie_where_they_belong(beginning: str, title: str, parent: str) -> None:
    entries = reading(beginning).outline.entries
    above = [entries[entry.parent].title for entry in entries if entry.title == title and entry.parent is not None]
    assert above[0] == parent


def test_the_rules_are_read_past_their_stray_escape() -> None:
    found = reading("_0_REGELN")
    assert found.findings.first_error is None
    assert found.findings.counts[Code.STRAY_ESCAPE] == 1
    assert (found.document["maxDepth"], found.document["emojiAsKind"]) == (6, True)


@pytest.mark.parametrize("beginning", ["_1_", "_8_"])
def test_each_line_of_jsonl_is_a_node_below_its_parent(beginning: str) -> None:
    lines = [json.loads(line) for line in sample(beginning, ".jsonl").read_text().splitlines() if line.strip()]
    entries = reading(beginning, ".jsonl").outline.entries
    said = {line["id"]: line["parent_id"] or "" for line in lines}
    assert {entry.own_id: entries[entry.parent].own_id for entry in entries if entry.parent is not None} == said


@pytest.fixture
def files() -> list[SourceFile]:
    paths = sorted(path for path in Path(SAMPLES).rglob("*") if path.suffix in {".md", ".jsonl"})
    return [SourceFile(path.name, path.read_bytes()) for path in paths]


async def test_all_go_in_quickly_and_a_second_time_change_nothing(files: list[SourceFile], tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'steinmetz.db'}"
    migrations.upgrade(url)
    schema()
    database = Database(url, clock=FakeClock())
    begun = time.process_time()
    first = await import_files(database, SYSTEM, files)
    took_s = time.process_time() - begun
    second = await import_files(database, SYSTEM, files)
    await database.close()
    assert [report.name for report in first if report.refused is not None] == []
    created = {report.name[:3]: report.created for report in first if report.format == "markdown"}
    assert created == {beginning: nodes for beginning, nodes, _ in COUNTED}
    changes = [report.created + report.changed + report.moved + report.deleted for report in second]
    assert changes == [0] * len(files)
    assert took_s < 2, "seconds for all of them, at most"
