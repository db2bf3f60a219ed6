"""The triggers by which PostgreSQL tells of writes to a table: made, taken away and listed.

One trigger a table, AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE, called once a statement. A NOTIFY makes COMMITs
take turns (one lock for the whole server, held until the commit is written), which is why only tables that others
write are to be watched.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from steinmetz.cache.invalidation.strangers import CHANNEL

TRIGGER = "steinmetz_tells_writes"
FUNCTION = "steinmetz_tell_writes"
ALL = "all"
"""The trigger's argument for tables whose rows show in others, too: partitions, heirs and what they are of."""

_TELL = f"""CREATE OR REPLACE FUNCTION {{schema}}.{FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $tell$
BEGIN
    IF TG_NARGS > 0 THEN
        PERFORM pg_catalog.pg_notify('{CHANNEL}', '[]');
    ELSE
        PERFORM pg_catalog.pg_notify(
            '{CHANNEL}', pg_catalog.json_build_array(TG_TABLE_SCHEMA, TG_TABLE_NAME)::text);
    END IF;
    RETURN NULL;
END $tell$"""

WATCHED = f"""
    SELECT DISTINCT n.nspname || '.' || c.relname AS named,
           CASE WHEN t.tgnargs > 0 THEN '[]'
                ELSE pg_catalog.json_build_array(n.nspname, c.relname)::text END AS told
    FROM pg_catalog.pg_trigger t
    JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE t.tgname = '{TRIGGER}' AND t.tgenabled <> 'D'
    ORDER BY 1"""
"""The watched tables: ``named`` for people, ``told`` as a notification tells it."""

_FOUND = text("""
    SELECT n.nspname, c.relname, c.relkind::text,
           EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE c.oid IN (i.inhparent, i.inhrelid))
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = pg_catalog.to_regclass(:name)""")


class NoTableError(RuntimeError):
    """There is no such table, or it can have no such trigger."""


@dataclass(frozen=True, slots=True)
class Table:
    schema: str
    name: str
    has_relatives: bool
    """Whether its rows show in other tables, or theirs in it."""

    @property
    def quoted(self) -> str:
        return f"{_quoted(self.schema)}.{_quoted(self.name)}"

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


def table_named(connection: Connection, name: str) -> Table:
    """The table of a name as SQL has it: ``invoices``, ``billing.invoices``. Raises `NoTableError`."""
    row = connection.execute(_FOUND, {"name": name}).one_or_none()
    if row is None:
        raise NoTableError(f"there is no table {name}")
    schema, table, kind, has_relatives = row
    if kind not in {"r", "p"}:
        raise NoTableError(f"{name} is no table: watch the tables behind it")
    return Table(schema, table, has_relatives)


def watch(connection: Connection, table: Table) -> None:
    """Have every write to ``table`` told; a second time changes nothing but what has become known of it."""
    unwatch(connection, table)
    schema = _quoted(table.schema)
    connection.exec_driver_sql(_TELL.format(schema=schema))
    argument = f"'{ALL}'" if table.has_relatives else ""
    connection.exec_driver_sql(
        f"CREATE TRIGGER {TRIGGER} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table.quoted} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {schema}.{FUNCTION}({argument})"
    )
    # Also for sessions with session_replication_role = replica, for which triggers are off otherwise.
    connection.exec_driver_sql(f"ALTER TABLE {table.quoted} ENABLE ALWAYS TRIGGER {TRIGGER}")


def unwatch(connection: Connection, table: Table) -> None:
    """Have writes to ``table`` told no more."""
    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {TRIGGER} ON {table.quoted}")


def watched(connection: Connection) -> list[str]:
    """The watched tables, by name."""
    return [row.named for row in connection.exec_driver_sql(WATCHED)]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
