"""The closure of what a statement touches, over a catalogue made by hand."""

from __future__ import annotations

from steinmetz.sql.analysis import Event
from steinmetz.sql.catalogue import Catalogue
from steinmetz.sql.closure import Touch
from steinmetz.sql.schema import Edges, Entry, Function, Kind
from steinmetz.sql.shape import shape_of

ORDERS, ITEMS, LOG, VIEW, PARENT, CHILD, FOREIGN, SEQUENCE = range(1, 9)
TRIGGER, DYNAMIC, TOTAL, PYTHON, PROMISE, LABEL = -1, -2, -3, -4, -5, -6


def catalogue() -> Catalogue:
    kinds = {VIEW: Kind.VIEW, PARENT: Kind.PARTITIONED, FOREIGN: Kind.FOREIGN, SEQUENCE: Kind.SEQUENCE}
    names = ["orders", "items", "log", "v", "parent", "child", "remote", "orders_id_seq"]
    entries = [Entry(oid, name, kinds.get(oid, Kind.TABLE), name) for oid, name in enumerate(names, 1)]
    functions = [
        Function(TRIGGER, "note", "plpgsql", False, "BEGIN INSERT INTO log VALUES (NEW.id); RETURN NEW; END"),
        Function(DYNAMIC, "dynamic", "plpgsql", False, "BEGIN EXECUTE 'DELETE FROM log'; END"),
        Function(TOTAL, "total", "sql", False, "SELECT sum(price) FROM items"),
        Function(PYTHON, "py", "plpython3u", False, ""),
        Function(PROMISE, "promise", "c", True, ""),
        Function(LABEL, "label", "sql", False, "SELECT total()", as_attribute=True),
    ]
    edges = Edges()
    edges.views[VIEW] = {ORDERS, TOTAL}
    edges.triggers[Event.INSERT, ITEMS] = {TRIGGER}
    edges.actions[Event.DELETE, ORDERS] = {(Event.DELETE, ITEMS)}
    edges.children[PARENT] = {CHILD}
    edges.triggers[Event.DELETE, CHILD] = {TRIGGER}
    return Catalogue(entries, functions, edges)


def touched(statement: str, relations: frozenset[str] | None = None) -> Touch:
    return catalogue().touched_by(shape_of(statement), relations=relations)


def test_every_relation_that_is_named_is_read() -> None:
    assert touched("SELECT items FROM orders WHERE log = 1").reads == {"orders", "items", "log"}


def test_what_is_known_better_than_by_words_narrows_it() -> None:
    assert touched("SELECT items FROM orders", frozenset({"orders"})).reads == {"orders"}


def test_a_view_reads_what_its_query_names_and_calls() -> None:
    assert touched("SELECT * FROM v").reads == {"orders", "items"}


def test_a_write_through_a_view_reaches_its_tables_unless_a_trigger_stands_instead() -> None:
    assert touched("UPDATE v SET a = 1").writes == {"orders"}
    other = catalogue()
    other._edges.replaced.add((Event.UPDATE, VIEW))
    assert other.touched_by(shape_of("UPDATE v SET a = 1")).writes == set()


def test_triggers_answer_to_their_event_only() -> None:
    assert touched("INSERT INTO items VALUES (1)").writes == {"items", "log"}
    assert touched("DELETE FROM items").writes == {"items"}


def test_foreign_keys_act_on_those_that_refer() -> None:
    assert touched("DELETE FROM orders").writes == {"orders", "items"}
    assert touched("UPDATE orders SET a = 1").writes == {"orders"}


def test_parents_are_their_children_and_an_update_may_move_rows() -> None:
    assert touched("SELECT * FROM parent").reads == {"parent", "child"}
    assert touched("SELECT * FROM child").reads == {"child"}
    assert touched("UPDATE parent SET a = 1").writes == {"parent", "child", "log"}


def test_a_function_is_read_through_its_body() -> None:
    assert touched("SELECT total()").reads == {"items"}
    assert touched("SELECT o.label FROM orders o").reads == {"orders", "items"}
    assert touched("SELECT total FROM orders").reads == {"orders"}


def test_what_cannot_be_read_may_do_anything() -> None:
    for statement in ("SELECT dynamic()", "SELECT py()"):
        assert touched(statement).reads_unknown
        assert touched(statement).writes_unknown
    assert not touched("SELECT promise(1)").reads_unknown
    assert touched("SELECT * FROM remote").reads_unknown
    assert touched("SELECT last_value FROM orders_id_seq").reads_unknown
    assert touched("SELECT query_to_xml('SELECT 1', true, true, '')").writes_unknown


def test_a_stranger_in_a_relation_s_place_is_named_and_makes_doubt() -> None:
    shape = shape_of("SELECT * FROM orders, fresh; INSERT INTO new (a) VALUES (1)")
    assert catalogue().strangers(shape) == {"fresh", "new"}
    assert touched("SELECT * FROM fresh").reads_unknown
    assert touched("INSERT INTO new (a) VALUES (1)").writes_unknown
    assert not touched("WITH fresh AS (SELECT 1) SELECT * FROM fresh").reads_unknown


def test_where_literals_are_in_doubt_so_is_what_is_written() -> None:
    assert touched(r"INSERT INTO orders VALUES ('\'')").writes_unknown


def test_functions_behind_operators_are_always_called() -> None:
    other = catalogue()
    other._edges.ambient.add(TOTAL)
    assert other.touched_by(shape_of("SELECT 1")).reads == {"items"}
