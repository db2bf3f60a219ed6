"""The shape of a statement: what its text alone tells."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.sql.facts import Verb
from steinmetz.sql.shape import shape_of


@pytest.mark.parametrize(
    ("statement", "verb"),
    [
        ("SELECT 1", Verb.SELECT),
        ("  -- a comment\n select 1", Verb.SELECT),
        ("/* why */ VALUES (1)", Verb.SELECT),
        ("SELECT * FROM t FOR UPDATE", Verb.SELECT),
        ("SELECT * FROM t FOR NO KEY UPDATE", Verb.SELECT),
        ("SELECT 'delete from t'", Verb.SELECT),
        ('SELECT "delete" FROM t', Verb.SELECT),
        ("SELECT * INTO copy FROM t", Verb.DDL),
        ("WITH x AS (SELECT 1) SELECT * FROM x", Verb.SELECT),
        ("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", Verb.DELETE),
        ("WITH x AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM x", Verb.INSERT),
        ("INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2", Verb.INSERT),
        ("REPLACE INTO t VALUES (1)", Verb.INSERT),
        ("MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE", Verb.UPDATE),
        ("TRUNCATE t", Verb.DELETE),
        ("COPY t FROM STDIN", Verb.INSERT),
        ("COPY t TO STDOUT", Verb.SELECT),
        ("COPY (SELECT a FROM t) TO STDOUT", Verb.SELECT),
        ("EXPLAIN DELETE FROM t", Verb.OTHER),
        ("EXPLAIN ANALYZE DELETE FROM t", Verb.DELETE),
        ("EXPLAIN (ANALYZE, BUFFERS) SELECT 1", Verb.SELECT),
        ("EXPLAIN (COSTS off, BUFFERS off, WAL off, TIMING off, ANALYZE) DELETE FROM t", Verb.DELETE),
        ("EXPLAIN ANALYZE EXECUTE p", Verb.OTHER),
        ("EXPLAIN ANALYZE (SELECT 1)", Verb.OTHER),
        ("CREATE TABLE t (a int)", Verb.DDL),
        ("BEGIN IMMEDIATE", Verb.TRANSACTION),
        ("PREPARE TRANSACTION 'x'", Verb.TRANSACTION),
        ("CALL pay(1)", Verb.OTHER),
        ("", Verb.OTHER),
    ],
)
def test_the_verb_is_what_the_statement_does(statement: str, verb: Verb) -> None:
    assert shape_of(statement).verb is verb


@pytest.mark.parametrize(
    ("statement", "is_only_planned"),
    [
        ("EXPLAIN DELETE FROM t", True),
        ("EXPLAIN QUERY PLAN SELECT a FROM t", True),
        ("EXPLAIN (COSTS off) SELECT a FROM t", True),
        ("EXPLAIN EXECUTE p", True),
        ("EXPLAIN (COSTS off, BUFFERS off, WAL off, TIMING off, ANALYZE) DELETE FROM t", False),
        ("EXPLAIN ANALYSE EXECUTE p", False),
        ("EXPLAIN ANALYZE (WITH d AS (DELETE FROM t) SELECT 1)", False),
        ("EXPLAIN PRAGMA user_version = 7", False),
        ("DELETE FROM t", False),
    ],
)
def test_what_explain_only_plans_is_told_from_what_it_runs(statement: str, is_only_planned: bool) -> None:
    assert shape_of(statement).is_only_planned is is_only_planned


def test_values_spaces_and_case_do_not_matter_to_the_fingerprint() -> None:
    assert (
        shape_of("select a from T where b = 'it''s' -- now").fingerprint
        == shape_of("SELECT  a FROM t\nWHERE b = :b").fingerprint
        == shape_of("SELECT a FROM t WHERE b=$1").fingerprint
    )


def test_lists_and_batches_of_any_length_are_one_shape() -> None:
    assert shape_of("SELECT 1 WHERE a IN (?, ?, ?)").text == shape_of("SELECT 1 WHERE a IN (?)").text
    assert shape_of("SELECT 1 WHERE a IN (__[POSTCOMPILE_a_1])").text == "SELECT ? WHERE a IN (?)"
    assert shape_of("INSERT INTO t VALUES (?, ?), (?, ?)").text == "INSERT INTO t VALUES (?)"


def test_different_columns_are_different_shapes() -> None:
    assert shape_of("SELECT a FROM t").fingerprint != shape_of("SELECT b FROM t").fingerprint


def test_names_stand_outside_of_literals() -> None:
    shape = shape_of("""SELECT t.a, f(b), "Big" FROM s.t JOIN u ON u.x = 'v' WHERE c = $$ w $$""")
    assert {"t", "a", "f", "b", "Big", "s", "u", "x", "c"} <= shape.identifiers
    assert shape.identifiers.isdisjoint({"v", "w", "big"})
    assert shape.called == {"f"}
    assert shape.targets == {"t", "u"}


@pytest.mark.parametrize(
    "statement",
    [
        r"SELECT 'a\', invoices, 'b'",  # standard_conforming_strings may be off
        'SELECT * FROM U&"inv\\006fices"',
        "SELECT 1 /* outer /* inner */ , invoices */",
        "SELECT 'unfinished, invoices",
    ],
)
def test_where_literals_are_in_doubt_their_words_are_names_too(statement: str) -> None:
    shape = shape_of(statement)
    assert shape.opaque
    assert "invoices" in shape.identifiers or "U&" in statement


def test_several_statements_at_once_are_noticed() -> None:
    assert shape_of("SELECT 1; DROP TABLE t").several
    assert not shape_of("SELECT 1;").several


@given(st.text(alphabet="abc_'\"$;()-/*\\ \n`?:.[]&U%1", max_size=60))
def test_any_text_has_a_shape(statement: str) -> None:
    shape = shape_of(statement)
    assert len(shape.fingerprint) == 16


@given(
    st.lists(st.sampled_from(["invoices", '"Big Name"', "f(", ")", ",", "'x'", "1", "\n", "-- c\n"]), max_size=12)
)
def test_a_name_outside_literals_is_never_lost(words: list[str]) -> None:
    shape = shape_of(" ".join(words))
    if "invoices" in words:
        assert "invoices" in shape.identifiers
    if '"Big Name"' in words:
        assert "Big Name" in shape.identifiers


@pytest.mark.parametrize(
    ("statement", "written"),
    [
        ("INSERT INTO s.t (a) SELECT a FROM u", {"insert t"}),
        ('INSERT INTO "T" AS t VALUES (1) ON CONFLICT DO UPDATE SET a = 1', {"insert T"}),
        ("UPDATE ONLY t SET a = u.a FROM u", {"update t"}),
        ("DELETE FROM ONLY s.t USING u", {"delete t"}),
        (
            "WITH d AS (DELETE FROM a), i AS (INSERT INTO b SELECT * FROM d) UPDATE c SET x = 1",
            {"delete a", "insert b", "update c"},
        ),
        (
            "MERGE INTO t USING u ON a WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)",
            {"merge t"},
        ),
        ("TRUNCATE TABLE ONLY a, s.b *, c CASCADE", {"truncate a", "truncate b", "truncate c"}),
        ("COPY t (a) FROM STDIN", {"copy t"}),
        ("COPY (SELECT 1) TO STDOUT", set()),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY m", {"refresh m"}),
        ("SELECT * FROM t FOR UPDATE OF t", set()),
        ("SELECT * FROM t FOR NO KEY UPDATE", set()),
        ("BEGIN INSERT INTO a VALUES (1); UPDATE b SET x = 1; END", {"insert a", "update b"}),
    ],
)
def test_what_is_written_stands_in_few_places(statement: str, written: set[str]) -> None:
    assert {" ".join(pair) for pair in shape_of(statement).written} == written


@pytest.mark.parametrize(
    ("statement", "targets"),
    [
        ("SELECT extract(year FROM day), trim(both FROM name) FROM t", {"t"}),
        ("SELECT a IS DISTINCT FROM b FROM t", {"t"}),
        ("SELECT * FROM generate_series(1, 3) JOIN LATERAL (SELECT * FROM t) x ON true", {"t"}),
        (
            "WITH RECURSIVE a AS (SELECT * FROM t), b(x, y) AS NOT MATERIALIZED (SELECT * FROM a) SELECT * FROM b",
            {"t"},
        ),
        ("SELECT count((SELECT 1 FROM u)) FROM s.t", {"u", "t"}),
        ("SELECT * FROM (a JOIN b ON true)", {"b"}),
        ("SELECT * FROM a, s.b AS x, c y, f(1), d", {"a", "b", "c"}),
    ],
)
def test_targets_are_relations_and_nothing_else(statement: str, targets: set[str]) -> None:
    assert shape_of(statement).targets == targets


def test_a_word_after_a_colon_may_be_a_name() -> None:
    assert "total" in shape_of("SELECT a[1:total] FROM t").identifiers
