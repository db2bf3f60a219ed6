"""Node trees as PostgreSQL 15 writes them, cut to the fields that count."""

from __future__ import annotations

import pytest

from steinmetz.sql.analysis import Event
from steinmetz.sql.nodes import Unreadable, analysis_of


def entry(relid: int, permissions: int, *, inh: bool = True, relkind: str = "r", **columns: str) -> str:
    more = "".join(f" :{name} {bits}" for name, bits in columns.items())
    return (
        f"{{RANGETBLENTRY :alias {{ALIAS :aliasname x\\{{ :colnames <>}} :rtekind 0 :relid {relid}"
        f" :relkind {relkind} :inh {str(inh).lower()} :requiredPerms {permissions}{more} :securityQuals <>}}"
    )


def query(command: int, result: int, *entries: str, more: str = "") -> str:
    return (
        f"{{QUERY :commandType {command} :resultRelation {result} :rtable ({' '.join(entries)}) {more}:limit <>}}"
    )


def test_a_select_reads_columns() -> None:
    analysis = analysis_of(query(1, 0, entry(20_000, 2, selectedCols="(b 8 10)"), entry(20_001, 2, inh=False)))
    assert (analysis.reads, analysis.reads_alone, analysis.writes) == ({20_000}, {20_001}, set())
    assert analysis.columns == {20_000: {1, 3}, 20_001: None}  # 16 and later keep the columns elsewhere


@pytest.mark.parametrize("bits", ["(b 7)", "(b 1 8)"])
def test_a_whole_row_and_a_system_column_are_all_columns(bits: str) -> None:
    assert analysis_of(query(1, 0, entry(20_000, 2, selectedCols=bits))).columns == {20_000: None}


def test_a_relation_that_is_read_twice_has_the_columns_of_both() -> None:
    one, two = entry(20_000, 2, selectedCols="(b 8)"), entry(20_000, 2, selectedCols="(b 9)")
    assert analysis_of(query(1, 0, one, two)).columns == {20_000: {1, 2}}


def test_an_update_assigns_and_may_read_its_target() -> None:
    target = entry(20_000, 6, selectedCols="(b 8)", updatedCols="(b 11)")
    analysis = analysis_of(query(2, 1, target, entry(20_001, 2)))
    assert analysis.writes == {(Event.UPDATE, 20_000)}
    assert analysis.reads == {20_000, 20_001}
    assert analysis.assigned == {20_000: {4}}


def test_only_leaves_out_the_heirs_of_a_target_but_of_no_insert() -> None:
    assert analysis_of(query(4, 1, entry(20_000, 8, inh=False))).writes_alone == {(Event.DELETE, 20_000)}
    assert analysis_of(query(3, 1, entry(20_000, 1, inh=False))).writes == {(Event.INSERT, 20_000)}


def test_a_conflict_may_update_and_excluded_is_no_relation() -> None:
    excluded = entry(20_000, 2, relkind="c")
    upsert = "{ONCONFLICTEXPR :action 2} "
    analysis = analysis_of(query(3, 1, entry(20_000, 1), excluded, more=upsert))
    assert analysis.writes == {(Event.INSERT, 20_000), (Event.UPDATE, 20_000)}
    assert analysis.reads == set()
    nothing = query(3, 1, entry(20_000, 1), more="{ONCONFLICTEXPR :action 1} ")
    assert analysis_of(nothing).writes == {(Event.INSERT, 20_000)}


def test_a_merge_does_what_its_actions_do() -> None:
    actions = "({MERGEACTION :matched true :commandType 4} {MERGEACTION :matched false :commandType 3}) "
    analysis = analysis_of(query(5, 1, entry(20_000, 10), entry(20_001, 2), more=actions))
    assert analysis.writes == {(Event.DELETE, 20_000), (Event.INSERT, 20_000)}


def test_queries_within_queries_keep_their_own_tables() -> None:
    inner = query(4, 1, entry(20_001, 8))
    outer = query(3, 1, entry(20_000, 1), more=f":cteList ({{COMMONTABLEEXPR :ctequery {inner}}}) ")
    assert analysis_of(outer).writes == {(Event.INSERT, 20_000), (Event.DELETE, 20_001)}


def test_old_and_new_of_a_rule_are_not_read() -> None:
    assert analysis_of(query(3, 3, entry(20_000, 0), entry(20_000, 0), entry(20_001, 1))).reads == set()


@pytest.mark.parametrize(
    "tree", ["", "<>", "{QUERY :commandType 1", "}", ":relid 5 }", query(9, 1, entry(20_000, 2))]
)
def test_what_is_no_tree_is_refused(tree: str) -> None:
    with pytest.raises(Unreadable):
        analysis_of(tree)
