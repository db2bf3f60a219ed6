"""What rows were and will be: the old and new images of what the ORM's unit of work writes (trap T9).

A flush sends ``UPDATE ... WHERE id = ?``, which alone says nothing of the row's other columns. The session knows
them: its history has the values before and after of what was set, its objects those of what was not. So the change
of such a row is bound by all of them, and an invoice of customer 5 that is paid does not concern the list of
customer 6, nor that of the drafts.

An image must be that of the row at the moment of the statement, so it is used only where nothing else can have
moved the row since the session read it:

- the transaction reads from one snapshot, and a row that others have changed since cannot be written in it:
  SQLite within BEGIN, PostgreSQL at REPEATABLE READ or SERIALIZABLE;
- whatever the session holds was read in this very transaction, through this very connection: nothing was left of
  an earlier one, nothing was attached from outside;
- no other session has begun in the transaction since, and no savepoint of it has been rolled back;
- no statement but those of such flushes has set the column in the transaction, nor deleted rows of the table.

The rest is the union of all statements of a transaction. Of a row that a reader's predicate found before, the
first statement that sets a column he mentions has the old values; of one that it finds afterwards, the last such
statement has the new ones. So one of them meets him, whatever came between.

One thing is taken on trust, as by the unit of work itself: who tells the ORM that a value is what the database
holds tells the truth (``set_committed_value``, ``merge(load=False)`` into a present object, objects made of SQL of
one's own that gives other values under the columns' names).
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column as SchemaColumn
from sqlalchemy import Table, event
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.orm.exc import UnmappedColumnError

from steinmetz.sql.blind_spots import hook_of
from steinmetz.sql.rows import Column, Value, normalised
from steinmetz.sql.templates import OneRow, Setting, bound_values

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.orm import SessionTransaction

    from steinmetz.sql.transaction import ConnectionState, Flushed

SNAPSHOTS = frozenset({"REPEATABLE READ", "SERIALIZABLE"})

Images = dict[Column, set[Value]]


class Sight:
    """One session in one transaction of one connection; ``holds`` while its objects show what the rows are."""

    __slots__ = ("holds", "root", "state")

    def __init__(self, root: SessionTransaction, state: ConnectionState | None, holds: bool) -> None:
        self.root = weakref.ref(root)
        self.state = state
        self.holds = holds


_sights: weakref.WeakKeyDictionary[Session, Sight] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def listen() -> None:
    """Hear of all sessions from now on; once for the process."""
    with _lock:
        if not event.contains(Session, "after_begin", _after_begin):
            event.listen(Session, "after_begin", _after_begin)
            event.listen(Session, "before_flush", _before_flush)
            event.listen(Session, "after_flush", _after_flush)
            event.listen(Session, "detached_to_persistent", _attached)


# -- which transactions


def _after_begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    root = transaction
    while root.parent is not None:
        root = root.parent
    state = _state_of(connection)
    sight = _sights.get(session)
    if sight is None or sight.root() is not root:
        holds = not transaction.nested and _holds_nothing(session) and _is_snapshot(connection)
        sight = _sights[session] = Sight(root, state, holds and state is not None)
        if state is not None:
            state.sight = sight
    elif sight.state is not state:
        sight.holds = False  # two databases, or a replica that lags behind


def _attached(session: Session, instance: object) -> None:
    """An object that was read elsewhere, or made up, counts as read from now on."""
    sight = _sights.get(session)
    if sight is not None:
        sight.holds = False


def _state_of(connection: Connection) -> ConnectionState | None:
    """The state of a hooked connection whose writes somebody hears of."""
    hook = hook_of(connection.engine)
    return None if hook is None else hook.state_told(connection)


def _holds_nothing(session: Session) -> bool:
    """Whether the session has to read anew whatever it has objects of."""
    return all(state.expired for state in session.identity_map.all_states())


def _is_snapshot(connection: Connection) -> bool:
    """Whether what is read from now on stays as it is until it is written."""
    dialect: Any = connection.dialect
    if dialect.name == "sqlite":
        # The driver's own way of transactions begins them with the first write.
        return bool(getattr(connection.connection.driver_connection, "in_transaction", False))
    if dialect.name != "postgresql":
        return False
    level = connection.get_execution_options().get("isolation_level")
    level = level or getattr(dialect, "_on_connect_isolation_level", None) or ""
    return str(level).upper().replace("_", " ") in SNAPSHOTS


# -- which rows


def _before_flush(session: Session, flush_context: Any, instances: Any) -> None:
    """What was sent before was not of this flush: a bulk update uses the same cache."""
    sight = _sights.get(session)
    if sight is not None and sight.state is not None:
        sight.state.seal()


def _after_flush(session: Session, flush_context: Any) -> None:
    """The statements have been sent, and the history of what they wrote is still there."""
    sight = _sights.get(session)
    state = sight.state if sight is not None else None
    if state is None or sight is None or not state.flushed:
        return
    if sight.holds and _is_the_last(sight, state):
        state.refine(Written(getattr(flush_context, "states", ())))
    else:
        state.seal()


def _is_the_last(sight: Sight, state: ConnectionState) -> bool:
    """Whether no other session has begun in the transaction since."""
    return state.sight is sight


class Written:
    """The objects of one flush, and what their histories tell of the rows that it wrote."""

    def __init__(self, states: Iterable[Any]) -> None:
        self._states: dict[tuple[Table, tuple[Any, ...]], Any] = {}
        for state in states:
            if state.key is None or state.key[2] is not None:
                continue
            mapper: Mapper[Any] = state.mapper
            if not _is_of_one_table(mapper):
                continue
            place = (mapper.local_table, tuple(state.key[1]))
            # Two classes of one table: nobody knows whose statement it was.
            self._states[place] = None if place in self._states else state  # type: ignore[index]

    def base(self, flushed: Flushed) -> object | None:
        """The mapper that made the statement, if it is of objects of this flush alone; None if it is of others."""
        bases = {state and state.mapper.base_mapper for state in self._states_of(flushed)}
        base: object = bases.pop() if len(bases) == 1 else None
        if base is None or getattr(base, "_compiled_cache", None) is not flushed.cache:
            return None
        return base

    def images(self, flushed: Flushed, moved: frozenset[str] | set[str]) -> list[Images] | None:
        """The images of each row; None if a column was set that the history does not account for.

        ``moved`` are columns that others may have set since they were read.
        """
        row = flushed.template.row
        assert row is not None
        found = []
        for state, parameters in zip(self._states_of(flushed), flushed.parameters, strict=True):
            images: Images = {}
            if not state.committed_state.keys().isdisjoint(_primary_keys(state.mapper)):
                return None
            for setting in row.settings:
                key = _key_of(state.mapper, setting.schema)
                if key is None or setting.follows or setting.schema is state.mapper.version_id_col:
                    continue
                if setting.is_assigned and (setting.schema.primary_key or key not in state.committed_state):
                    return None
                values = _values(state, key, setting, parameters, moved)
                if values is not None and setting.column is not None:
                    images[setting.column] = values
            found.append(images)
        return found

    def _states_of(self, flushed: Flushed) -> list[Any]:
        row = flushed.template.row
        assert row is not None
        return [self._states.get((row.table, _identity(row, each))) for each in flushed.parameters]


def _is_of_one_table(mapper: Mapper[Any]) -> bool:
    table = mapper.local_table
    return (
        isinstance(table, Table)
        and list(mapper.tables) == [table]
        and not mapper.concrete
        and tuple(mapper.primary_key) == tuple(table.primary_key)
    )


def _identity(row: OneRow, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(parameters.get(bind.name) for bind in row.key.values())


def _key_of(mapper: Mapper[Any], schema: SchemaColumn[Any]) -> str | None:
    """The attribute that a column is mapped as, alone."""
    try:
        found = mapper.get_property_by_column(schema)
    except UnmappedColumnError:
        return None
    return found.key if len(found.columns) == 1 else None


def _primary_keys(mapper: Mapper[Any]) -> list[str | None]:
    return [_key_of(mapper, column) for column in mapper.primary_key if isinstance(column, SchemaColumn)]


def _values(
    state: Any, key: str, setting: Setting, parameters: Mapping[str, Any], moved: frozenset[str] | set[str]
) -> set[Value] | None:
    """The values of one column in one row, before and after; None if they are not certain."""
    column = setting.column
    if column is None:
        return None
    if setting.is_assigned:
        if setting.given is None or setting.given.name not in parameters:
            return None
        after = bound_values(column, setting.given, parameters[setting.given.name])
        before = _loaded(column, state.committed_state[key])
        return None if before is None or after is None else before | after
    if key in state.committed_state or key not in state.dict or column.name in moved:
        # Set by another statement of the same flush, by a listener, by others; or never read.
        return None
    return _loaded(column, state.dict[key])


def _loaded(column: Column, value: Any) -> set[Value] | None:
    """A value as it was read; what the ORM puts in the place of one that it does not know is not certain."""
    if value is None:
        return set()  # nothing equals NULL
    one = normalised(column.kind, value)
    return None if one is None else {one}
