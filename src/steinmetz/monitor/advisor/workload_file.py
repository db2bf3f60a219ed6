"""A workload as JSON, so that a command can take it from the server that has seen it.

The values are those that running a statement again needs, so the file is for its owner only. Each keeps its type:
what JSON does not have is ``{"$type": text}``.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from steinmetz.monitor.advisor.workload import BindUse, ParameterSet, Query, Workload
from steinmetz.sql.facts import Verb

SCHEMA = "steinmetz.workload"
VERSION = 1


class NoWorkload(ValueError):  # noqa: N818  the sentence reads better
    """The text is no workload of this version; the message says why."""


def to_text(workload: Workload, made_at: str) -> str:
    """The workload as JSON; sets with values of unknown types are left out."""
    document = {
        "schema": SCHEMA,
        "version": VERSION,
        "madeAt": made_at,
        "dropped": workload.dropped,
        "queries": [_query(query) for query in workload.queries],
    }
    return json.dumps(document, ensure_ascii=False)


def from_text(text: str) -> tuple[Workload, str]:
    """The workload and when it was made. Raises `NoWorkload`."""
    try:
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("schema") != SCHEMA:
            raise NoWorkload("it is not a workload file")
        if document.get("version") != VERSION:
            raise NoWorkload(f"it has version {document.get('version')}, this release reads version {VERSION}")
        queries = [_query_of(each) for each in document["queries"]]
        return Workload(queries, int(document.get("dropped", 0))), str(document.get("madeAt", ""))
    except NoWorkload:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoWorkload(f"it cannot be read ({type(error).__name__})") from None


def _query(query: Query) -> dict[str, Any]:
    return {
        "fingerprint": query.fingerprint,
        "name": query.name,
        "sql": query.sql,
        "verb": query.verb.value,
        "tables": sorted(query.tables),
        "calls": query.calls,
        "totalNs": query.total_ns,
        "rows": query.rows,
        "slowest": [written for each in query.parameter_sets if (written := _set(each)) is not None],
        "samples": [written for each in query.samples if (written := _set(each)) is not None],
        "binds": [[key, use.value, use.hits, use.runs] for key, use in query.binds.items()],
    }


def _query_of(found: Mapping[str, Any]) -> Query:
    query = Query(
        str(found["fingerprint"]),
        str(found["name"]),
        str(found["sql"]),
        Verb(found["verb"]),
        frozenset(map(str, found["tables"])),
        int(found["calls"]),
        int(found["totalNs"]),
        int(found["rows"]),
    )
    query.parameter_sets = [_set_of(each) for each in found["slowest"]]
    query.samples = [_set_of(each) for each in found["samples"]]
    query.binds = {key: BindUse(value, hits, runs) for key, value, hits, runs in found["binds"]}
    return query


def _set(parameters: ParameterSet) -> dict[str, Any] | None:
    try:
        values = _written(parameters.values)
    except TypeError:
        return None
    return {"ns": parameters.duration_ns, "values": values, "sql": parameters.sql, "seen": parameters.seen}


def _set_of(found: Mapping[str, Any]) -> ParameterSet:
    return ParameterSet(int(found["ns"]), _read(found["values"]), str(found["sql"]), int(found["seen"]))


def _written(value: Any) -> Any:
    """Raises `TypeError` for a type that is not known."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return {"$datetime": value.isoformat()}
        case date():
            return {"$date": value.isoformat()}
        case time():
            return {"$time": value.isoformat()}
        case timedelta():
            return {"$timedelta": value.total_seconds()}
        case Decimal():
            return {"$decimal": str(value)}
        case UUID():
            return {"$uuid": str(value)}
        case bytes() | bytearray() | memoryview():
            return {"$bytes": b64encode(bytes(value)).decode()}
        case tuple() | list():
            return {"$tuple" if isinstance(value, tuple) else "$list": [_written(each) for each in value]}
        case Mapping():
            return {"$map": {str(key): _written(each) for key, each in value.items()}}
        case _:
            raise TypeError(f"a {type(value).__name__} has no form in the file")


_READERS: dict[str, Callable[[Any], Any]] = {
    "$datetime": datetime.fromisoformat,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$timedelta": lambda seconds: timedelta(seconds=seconds),
    "$decimal": Decimal,
    "$uuid": UUID,
    "$bytes": b64decode,
    "$tuple": lambda items: tuple(_read(each) for each in items),
    "$list": lambda items: [_read(each) for each in items],
    "$map": lambda items: {key: _read(each) for key, each in items.items()},
}


def _read(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, inner),) = value.items()
    return _READERS[kind](inner)
