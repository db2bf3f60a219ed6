"""The oracle for SQLite: the program that it compiled, read opcode by opcode (https://sqlite.org/opcode.html).

It is another witness than the authorizer, which the product asks: what is opened for reading stands in OpenRead
and VOpen, what is changed in the opcodes that insert, delete and clear. Triggers and foreign-key actions are
programs of their own, which EXPLAIN lists after the main one.
"""

from __future__ import annotations

import sqlite3

_CHANGES = frozenset({"Insert", "Delete", "IdxInsert", "IdxDelete"})


class Programs:
    """What the statements of one connection open and change."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        databases = [(number, name) for number, name, _ in connection.execute("PRAGMA database_list")]
        self._tables: dict[tuple[int, int], str] = {}
        self._virtual: dict[str, str] = {}
        for number, database in databases:
            for table, root, sql in connection.execute(
                f'SELECT tbl_name, rootpage, sql FROM "{database}".sqlite_master'
            ).fetchall():
                if root:
                    self._tables[number, root] = table
                elif (sql or "").upper().startswith("CREATE VIRTUAL"):
                    for _, opcode, _, _, _, pointer, *_ in connection.execute(f'EXPLAIN SELECT * FROM "{table}"'):
                        if opcode == "VOpen":
                            self._virtual[pointer] = table

    def touched(self, statement: str) -> tuple[set[str], set[str]]:
        """The tables that the statement's program opens for reading, and those that it changes."""
        reads: set[str] = set()
        writes: set[str] = set()
        cursors: dict[int, str] = {}
        for address, opcode, p1, p2, p3, p4, *_ in self._connection.execute(f"EXPLAIN {statement}").fetchall():
            if address == 0:
                cursors = {}  # the next program, with cursors of its own
            if opcode in ("OpenRead", "OpenWrite") and (p3, p2) in self._tables:
                cursors[p1] = self._tables[p3, p2]
                if opcode == "OpenRead":
                    reads.add(cursors[p1])
            elif opcode == "VOpen" and p4 in self._virtual:
                reads.add(self._virtual[p4])
            elif opcode == "VUpdate" and p4 in self._virtual:
                writes.add(self._virtual[p4])
            elif opcode == "Clear" and (p2, p1) in self._tables:
                writes.add(self._tables[p2, p1])
            elif opcode in _CHANGES and p1 in cursors:
                writes.add(cursors[p1])
        return self._owned(reads), self._owned(writes)

    def _owned(self, tables: set[str]) -> set[str]:
        """The tables of the schema; a shadow table stands for its virtual one."""
        shadows = {
            table: virtual
            for virtual in self._virtual.values()
            for table in tables
            if table.startswith(f"{virtual}_")
        }
        return {shadows.get(table, table) for table in tables if not table.startswith("sqlite_")}
