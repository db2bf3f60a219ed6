from __future__ import annotations

from datetime import date

from steinmetz.erp.seed.load import load, tables_with_ids
from steinmetz.erp.seed.rows import DepartmentRow, Row, TimeEntryRow


class Recorder:
    """A writer that remembers what it was given, batch by batch."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, int]] = []
        self.rows: list[Row] = []

    def write(self, table: str, columns: tuple[str, ...], rows: list[Row]) -> None:
        assert all(len(row) == len(columns) for row in rows)
        self.batches.append((table, len(rows)))
        self.rows += rows

    def finish(self) -> None:
        raise AssertionError("not asked for")


def department(number: int) -> DepartmentRow:
    return DepartmentRow(number, f"Abteilung {number}", str(number), 1)


def test_parents_are_written_before_children_whatever_the_order_they_come_in() -> None:
    into = Recorder()

    load(into, [TimeEntryRow(1, 1, date(2026, 3, 2), 480, 720, "", "", 1), department(1)], lambda count: None)

    assert into.batches == [("departments", 1), ("time_entries", 1)]


def test_no_more_than_a_batch_is_held_and_each_is_reported() -> None:
    into, reported = Recorder(), []

    load(into, (department(number) for number in range(25)), reported.append, batch=10)

    assert [count for _, count in into.batches] == [10, 10, 5]
    assert reported == [10, 20, 25]
    assert [row.id for row in into.rows if isinstance(row, DepartmentRow)] == list(range(25))


def test_id_counters_are_set_where_the_database_gives_ids() -> None:
    names = tables_with_ids()

    assert {"users", "invoices", "transactions"} <= set(names)
    assert not {"function_nodes", "number_series"} & set(names)
