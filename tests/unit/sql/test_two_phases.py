from steinmetz.sql.effects import WriteSet
from steinmetz.sql.two_phases import MAX_PREPARED, PreparedWrites

ORDERS = WriteSet(unknown=frozenset({"main"}))


def test_what_is_prepared_is_known_once() -> None:
    prepared = PreparedWrites()
    prepared.keep("x1", ORDERS)
    assert prepared.take("x1") == ORDERS
    assert prepared.take("x1") is None


def test_that_nothing_was_written_is_known_too() -> None:
    prepared = PreparedWrites()
    prepared.keep("x1", None)
    assert prepared.take("x1") == WriteSet()


def test_whoever_prepares_for_another_process_to_commit_fills_no_memory() -> None:
    prepared = PreparedWrites()
    for number in range(MAX_PREPARED + 1):
        prepared.keep(number, ORDERS)
    assert len(prepared) == MAX_PREPARED
    assert prepared.take(0) is None
    assert prepared.take(1) == ORDERS
