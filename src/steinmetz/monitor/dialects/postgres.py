"""What-if for PostgreSQL: HypoPG's indexes that do not exist, or real ones that are rolled back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from steinmetz.monitor.advisor.index import Index, quoted
from steinmetz.monitor.dialects.base import (
    CannotExplain,
    Plan,
    Table,
    is_many,
    refuse_unless_runnable,
)
from steinmetz.monitor.dialects.postgres_plan import plan_of
from steinmetz.monitor.dialects.postgres_session import PostgresSession

PAGE_BYTES = 8_192
PAGE_FILL = 0.9
ENTRY_BYTES = 8 + 4
"""Header of an index tuple and its pointer in the page."""
TID_BYTES = 6
PLANS_KEPT = 10_000
DISABLED_COST = 1e10
"""What PostgreSQL adds for a kind of node that it was told not to use and needs all the same."""
_REFUSED = (("sort",), ("seqscan",), ("bitmapscan",), ("seqscan", "bitmapscan"), ("seqscan", "bitmapscan", "sort"))


class PostgresWhatIf:
    """Plans under indexes that do not exist.

    A statement that the server keeps prepared (``$1``) gets the plan on which PostgreSQL settles after some runs,
    if that can be had: the generic one, with its cost for the values given. HypoPG is used where it is installed,
    or is made within the transaction where it may be. Raises `CannotExplain` at once if there is neither HypoPG
    nor leave to build.
    """

    def __init__(self, session: PostgresSession) -> None:
        self._session = session
        self._hypothetical = HypotheticalIndexes(session) if hypopg_is_there(session) else None
        if self._hypothetical is None and not session.may_build:
            raise CannotExplain(
                "the extension HypoPG is missing: install the package (Debian: postgresql-NN-hypopg) and run"
                " CREATE EXTENSION hypopg, or give the URL of a clone on which real indexes may be built"
            )

        self._generic: dict[tuple[Any, ...], Plan] = {}

    def close(self) -> None:
        """Hypothetical indexes belong to the server's session: a pooled connection would keep them."""
        if self._hypothetical is not None:
            self._hypothetical.reset()

    def tables(self) -> Mapping[str, Table]:
        return self._session.tables

    def plan(self, sql: str, values: Any, *, adding: Sequence[Index] = (), without: Sequence[Index] = ()) -> Plan:
        refuse_unless_runnable(sql)
        names = self._use(adding, without)
        if values is None:
            with self._session.prepared(sql) as prepared:
                return plan_of(prepared.explained(None)["Plan"], names)
        asked = values[0] if is_many(values) else values
        own = plan_of(self._session.explained(sql, asked)["Plan"], names)
        if "$1" not in sql or not asked:
            return own
        memo = (sql, frozenset(names.values()), frozenset(index.shown_name for index in without))
        if memo not in self._generic:
            if len(self._generic) >= PLANS_KEPT:
                self._generic.clear()
            with self._session.prepared(sql) as prepared:
                self._generic[memo] = plan_of(prepared.explained(None)["Plan"], names)
        generic = self._generic[memo]
        if generic.cost > own.cost or generic.hash == own.hash:
            return own
        return self._in_shape_of(generic, sql, asked, names) or own

    def size_bytes(self, index: Index) -> int:
        if index.name:
            schema = index.table.rpartition(".")[0]
            name = f"{quoted(schema)}.{quoted(index.name)}" if schema else quoted(index.name)
            try:
                ((size,),) = self._session.ask(f"SELECT pg_relation_size('{name}'::regclass)")
            except CannotExplain:
                pass
            else:
                return int(size)
        if index.table not in self._session.tables:
            raise CannotExplain(f"there is no table {index.table}")
        return self._estimated_bytes(index, self._session.tables[index.table])

    def _in_shape_of(self, wanted: Plan, sql: str, values: Any, names: Mapping[str, str]) -> Plan | None:
        """What the generic plan, on which PostgreSQL would settle, costs for these values.

        The planner gives no price for a plan that it does not choose, so it is kept from the others.
        """
        for refused in _REFUSED:
            for kind in refused:
                self._session.ask(f"SET LOCAL enable_{kind} = off")
            try:
                plan = plan_of(self._session.explained(sql, values)["Plan"], names)
            finally:
                for kind in refused:
                    self._session.ask(f"SET LOCAL enable_{kind} = on")
            if plan.hash == wanted.hash and plan.cost < DISABLED_COST:
                return plan
        return None

    def _use(self, adding: Sequence[Index], without: Sequence[Index]) -> Mapping[str, str]:
        """Have these indexes, and tell by which name the plan calls the hypothetical ones."""
        self._session.plan_for_asking()
        if self._hypothetical is None:
            self._session.indexes.use(adding, without)
            return {}
        if self._hypothetical.can_hide:
            self._session.reset_indexes()
            self._hypothetical.hide(without)
        elif without:
            self._session.indexes.use((), without)
        else:
            self._session.reset_indexes()
        return self._hypothetical.use(adding)

    def _estimated_bytes(self, index: Index, table: Table) -> int:
        """From the planner's widths; equal keys share one entry since PostgreSQL 13, which HypoPG's own size does
        not know (https://www.postgresql.org/docs/15/btree-implementation.html#BTREE-DEDUPLICATION)."""
        name = ".".join(quoted(part) for part in index.table.split("."))
        keys = [column.name if column.is_expression else quoted(column.name) for column in index.columns]
        keys += [quoted(name) for name in index.include]
        where = f" WHERE {index.where}" if index.where else ""
        plan = self._session.explained(f"SELECT {', '.join(keys)} FROM {name}{where}", ())["Plan"]
        rows, width = max(1, int(plan["Plan Rows"])), -(-int(plan["Plan Width"]) // 8) * 8
        distinct = 1.0
        for column in index.columns:
            known = table.columns.get(column.name)
            distinct *= (known.distinct if known is not None else None) or rows
        entries, size = rows, rows * (ENTRY_BYTES + width)
        if not index.include and not index.unique and distinct < entries:
            size = min(size, round(distinct * (ENTRY_BYTES + width) + rows * TID_BYTES))
        return (2 + -(-size // round(PAGE_BYTES * PAGE_FILL))) * PAGE_BYTES


class HypotheticalIndexes:
    """HypoPG's indexes in this session (https://hypopg.readthedocs.io)."""

    def __init__(self, session: PostgresSession) -> None:
        self._session = session
        self._made: dict[str, tuple[int, str]] = {}
        self._hidden = frozenset[str]()
        ((self.can_hide,),) = session.ask(
            "SELECT EXISTS (SELECT FROM pg_proc WHERE proname = 'hypopg_hide_index')"
        )
        self.reset()

    def use(self, wanted: Sequence[Index]) -> Mapping[str, str]:
        """Have exactly these; the names they have by HypoPG's."""
        texts = {f"CREATE INDEX ON {index.definition()}": index.shown_name for index in wanted}
        for text in self._made.keys() - texts.keys():
            self._session.ask(f"SELECT hypopg_drop_index({self._made.pop(text)[0]})")
        for text, name in texts.items():
            if text not in self._made:
                ((oid, made),) = self._session.ask(
                    f"SELECT indexrelid, indexname FROM hypopg_create_index({_literal(text)})",
                    what=f"the index {name}",
                )
                self._made[text] = oid, made
        return {self._made[text][1]: name for text, name in texts.items()}

    def hide(self, indexes: Sequence[Index]) -> None:
        """Keep the planner from real indexes; HypoPG 1.4 and later."""
        names = frozenset(index.shown_name for index in indexes)
        if names == self._hidden:
            return
        self._session.ask("SELECT hypopg_unhide_all_indexes()")
        for name in names:
            self._session.ask(
                f"SELECT hypopg_hide_index({_literal(quoted(name))}::regclass)", what=f"the index {name}"
            )
        self._hidden = names

    def reset(self) -> None:
        self._made.clear()
        self._session.ask("SELECT hypopg_reset()")


def hypopg_is_there(session: PostgresSession) -> bool:
    """Whether HypoPG can be used: installed, or made now, for as long as the transaction lasts."""
    installed = session.ask(
        "SELECT installed_version IS NOT NULL FROM pg_available_extensions WHERE name = 'hypopg'"
    )
    if not installed:
        return False
    if not installed[0][0]:
        try:
            session.tell("CREATE EXTENSION hypopg")
        except CannotExplain:
            return False
    return True


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
