"""Which rows a compiled INSERT, UPDATE or DELETE touches, and which columns it assigns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.schema import Column as SchemaColumn
from sqlalchemy.sql.schema import Table

from steinmetz.sql.facts import Relation, StatementFacts, Stored
from steinmetz.sql.rows import Column
from steinmetz.sql.templates import Bind, OneRow, Setting, WriteTemplate
from steinmetz.sql.terms import Names, conjuncts, owner_of, sides


class Writing:
    """Takes an INSERT, UPDATE or DELETE apart."""

    def __init__(self, facts: StatementFacts, compiled: Any) -> None:
        self.names = Names(facts, compiled)
        self.compiled = compiled
        self.state = compiled.compile_state
        self.statement = self.state.statement
        self.relation: Relation | None = None

    def template(self) -> WriteTemplate | None:
        statement, table = self.statement, self.statement.table
        if not isinstance(table, Table) or any(
            getattr(statement, part, None)
            for part in ("_prefixes", "_hints", "_independent_ctes", "_select_names")
        ):
            return None  # OR REPLACE, INSERT ... SELECT
        if any(getattr(statement, part, None) is not None for part in ("_post_values_clause", "select")):
            return None  # ON CONFLICT
        relations = self.names.relations(table)
        if len(relations) != 1 or self._nests_a_write():
            return None
        self.relation = relations[0]
        if statement.is_insert:
            return self._insert(table)
        if statement.is_update:
            return self._update(table)
        if statement.is_delete:
            where = self._where(table)
            bound = [(column, (bind,)) for column, bind in where.items()]
            return self._template(bound, None, row=self._one_row(table, where, frozenset(), {}))
        return None

    def _nests_a_write(self) -> bool:
        return any(
            element is not self.statement and element.__visit_name__ in ("insert", "update", "delete", "cte")
            for element in visitors.iterate(self.statement)
        )

    def _template(
        self,
        bound: Sequence[tuple[Column, tuple[Bind, ...]]],
        assigned: frozenset[str] | None,
        generated: Sequence[tuple[Column, int]] = (),
        *,
        inserts: bool = False,
        row: OneRow | None = None,
    ) -> WriteTemplate | None:
        assert self.relation is not None
        if not bound and assigned is None and not generated:
            return None
        writes = self.names.facts.writes
        return WriteTemplate(self.relation, writes, bound, assigned, generated, inserts=inserts, row=row)

    def _insert(self, table: Table) -> WriteTemplate | None:
        if self.state._has_multi_parameters:
            return None
        values = self._values(table, [*self.compiled.insert_prefetch])
        generated = [
            (column, place)
            for place, key in enumerate(table.primary_key)
            if (column := self._column(key)) is not None and column not in values and self._is_told(key)
        ]
        bound = [(column, (bind,)) for column, bind in values.items()]
        return self._template(bound, None, generated, inserts=True)

    def _is_told(self, key: Any) -> bool:
        """Whether the primary key that SQLAlchemy learns of a row is certainly that in the database."""
        assert self.relation is not None
        stored = self.names.stored(key, self.relation)
        return stored is Stored.ROWID or self.compiled.dialect.name != "sqlite"

    def _update(self, table: Table) -> WriteTemplate | None:
        assert self.relation is not None
        assigned = self._assigned(table)
        values = self._values(table, [*self.compiled.update_prefetch])
        bound: list[tuple[Column, tuple[Bind, ...]]] = []
        where = self._where(table)
        for column, bind in where.items():
            if column.name not in assigned:
                bound.append((column, (bind,)))
            elif column in values:
                bound.append((column, (bind, values[column])))
        every = self.names.facts.direct[self.relation].computed | assigned
        return self._template(bound, every, row=self._one_row(table, where, every, values))

    def _one_row(
        self, table: Table, where: dict[Column, Bind], assigned: frozenset[str], values: dict[Column, Bind]
    ) -> OneRow | None:
        """None unless WHERE binds every column of the primary key to one value."""
        assert self.relation is not None
        key = {}
        for schema_column in table.primary_key:
            column = self._column(schema_column)
            bind = None if column is None else where.get(column)
            if bind is None or bind.many:
                return None
            key[schema_column] = bind
        computed = self.names.facts.direct[self.relation].computed
        settings = []
        for schema_column in table.c:
            column, name = self._column(schema_column), self.names.fold(schema_column.name)
            follows = (
                name in computed or schema_column.onupdate is not None or schema_column.server_onupdate is not None
            )
            given = None if column is None else values.get(column)
            settings.append(Setting(schema_column, None if follows else column, name in assigned, given, follows))
        return OneRow(table, key, tuple(settings)) if key else None

    def _where(self, table: Table) -> dict[Column, Bind]:
        """The columns of the table itself that WHERE binds; what else is joined only leaves fewer rows."""
        found: dict[Column, Bind] = {}
        for term in conjuncts(self.statement._where_criteria):
            left, right = sides(term)
            if not isinstance(left, SchemaColumn) or not isinstance(right, BindParameter):
                continue
            column, name = self._column(left), self.names.bind(right)
            many = term.operator is operators.in_op
            if (
                column is not None
                and name is not None
                and owner_of(left, table) is table
                and bool(right.expanding) is many
                and self.names.is_same_kind(right, column.kind)
            ):
                found.setdefault(column, Bind(name, many))
        return found

    def _column(self, column: Any) -> Column | None:
        assert self.relation is not None
        kind = self.names.kind(column, [self.relation])
        return None if kind is None else Column(self.names.fold(column.name), kind)

    def _assigned(self, table: Table) -> set[str]:
        """The columns that SET may name; some too many do no harm."""
        given = {str(getattr(key, "key", key)) for key in self.state._dict_parameters or ()}
        keys = self.compiled.column_keys
        every = keys is None and not given
        given.update(str(key) for key in keys or ())
        return {
            self.names.fold(column.name)
            for column in table.c
            if every or column.key in given or column.onupdate is not None or column.server_onupdate is not None
        }

    def _values(self, table: Table, prefetched: Sequence[Any]) -> dict[Column, Bind]:
        """The columns whose new value is a bound parameter."""
        given = {getattr(key, "key", key): value for key, value in (self.state._dict_parameters or {}).items()}
        keys = self.compiled.column_keys
        binds = self.compiled.binds
        names = set(self.compiled.bind_names.values())
        found: dict[Column, Bind] = {}
        for schema_column in table.c:
            key = schema_column.key
            if key in given:
                value = given[key]
                if not isinstance(value, BindParameter):
                    continue
                name = key if value.unique else value.key
            elif (keys is not None and key in keys) or any(each is schema_column for each in prefetched):
                name = key
            else:
                continue
            column = self._column(schema_column)
            if column is None or name not in names or not self.names.is_same_kind(binds[name], column.kind):
                continue
            found[column] = Bind(name, or_null=self._keeps_null(schema_column))
        return found

    def _keeps_null(self, column: Any) -> bool:
        assert self.relation is not None
        return not column.primary_key and self.names.stored(column, self.relation) is not Stored.ROWID
