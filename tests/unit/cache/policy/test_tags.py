from __future__ import annotations

import pytest

from steinmetz.cache.policy.tags import (
    MAX_SEGMENTS,
    REMEMBERED_PATH_LENGTH,
    names,
    path_reads,
    written_paths,
    written_tags,
)
from steinmetz.sql.effects import ReadSet, WriteSet
from steinmetz.sql.facts import Relation


def concerns(written: str, path: str) -> bool:
    return ReadSet(path_reads(path)).concerned_by(written_paths([written]))


@pytest.mark.parametrize(
    ("written", "path", "concerned"),
    [
        ("/api/functions", "/api/functions", True),
        ("/api/functions", "/api/functions/", True),
        ("/api/functions/", "/api/functions", True),
        ("/api/functions", "/api/functions/nodes/7", True),
        ("/api/functions", "/api/functions-old", False),
        ("/api/functions", "/api", False),
        ("/api/functions/nodes/7", "/api/functions", False),
        ("/", "/anything/at/all", True),
    ],
)
def test_a_path_concerns_itself_and_all_below_by_segment(written: str, path: str, concerned: bool) -> None:
    assert concerns(written, path) is concerned


def test_the_depth_of_names_is_bounded_and_still_safe() -> None:
    deep = "/x" * 1_000
    assert len(path_reads(deep)) == MAX_SEGMENTS + 1
    assert concerns(deep, deep)


def test_a_path_is_no_table_and_an_unknown_write_of_a_database_leaves_it_alone() -> None:
    assert not ReadSet(path_reads("/invoices")).concerned_by(
        WriteSet(frozenset({Relation("main", "/invoices")}), frozenset({"main"}))
    )


def test_tags_concern_tags() -> None:
    reads = ReadSet(frozenset({Relation("(tag)", "catalog")}))
    assert reads.concerned_by(written_tags(["catalog"]))
    assert not reads.concerned_by(written_paths(["/catalog"]))


def test_paths_are_shown_as_paths() -> None:
    assert names([Relation("main", "invoices"), Relation("(path)", "/api")]) == ["/api", "main:invoices"]


def test_what_lies_above_many_is_held_once_but_not_what_is_very_long() -> None:
    def above(path: str) -> Relation:
        return next(each for each in path_reads(f"{path}/7") if each.name == path)

    assert above("/api/invoices") is above("/api/invoices")
    assert above("/" + "x" * REMEMBERED_PATH_LENGTH) is not above("/" + "x" * REMEMBERED_PATH_LENGTH)
