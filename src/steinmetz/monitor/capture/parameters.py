"""From a driver's parameters back to the columns they belong to, by SQLAlchemy's compiled bind map."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from steinmetz.monitor.analysis.redaction import Parameter
from steinmetz.monitor.capture.origins import Origins, origins_of
from steinmetz.sql.engine import Execution

PARAMETERS_READ = 200
"""A batch may have thousands; the first ones tell what it was."""
_BATCHED = re.compile(r"__\d+$")


def bound_parameters(execution: Execution) -> list[Parameter]:
    """The parameters of an execution, those of the first set if there are many; a slow path.

    At most `PARAMETERS_READ`.
    """
    values = execution.parameters
    if execution.many:
        values = values[0] if values else ()
    compiled: Any = execution.context.compiled if execution.context is not None else None
    origins = origins_of(compiled) if compiled is not None else Origins()
    names = _names(execution, compiled, values)
    if isinstance(values, Mapping):
        pairs = [(str(name), value) for name, value in list(values.items())[:PARAMETERS_READ]]
        if names is None:
            return [Parameter(name, value) for name, value in pairs]
        known = {label: bind for bind, label in names}
        return [_parameter(known.get(label), label, value, origins) for label, value in pairs]
    shown = list(values[:PARAMETERS_READ])
    if names is None or len(names) < len(shown):
        return [Parameter(str(position), value) for position, value in enumerate(shown, 1)]
    return [_parameter(bind, label, value, origins) for (bind, label), value in zip(names, shown, strict=False)]


def mentioned_names(execution: Execution) -> tuple[frozenset[str], bool]:
    """Names of columns that the statement uses though its text does not show them, and whether one of them is
    declared as sensitive."""
    compiled: Any = execution.context.compiled if execution.context is not None else None
    if compiled is None:
        return frozenset(), False
    origins = origins_of(compiled)
    return origins.mentioned, origins.secret


def _parameter(bind: str | None, label: str, value: object, origins: Origins) -> Parameter:
    origin = origins.by_bind.get(bind) if bind is not None else None
    if origin is None:
        return Parameter(label, value)
    return Parameter(
        label, value, origin.column, origin.names,
        secret=origin.secret, structured=origin.structured, by_text=origin.by_text,
    )  # fmt: skip


def _names(execution: Execution, compiled: Any, values: Any) -> Sequence[tuple[str, str]] | None:
    """(bind, label) in the driver's order; None if the values are not those of the compiled statement."""
    if compiled is None or execution.context is None:
        return None
    context: Any = execution.context
    if execution.statement is not context.statement:
        return _batch_names(context, compiled, execution.statement, values)
    expansions: Mapping[str, Sequence[str]] = getattr(context, "_expanded_parameters", None) or {}
    if not compiled.positional:
        return [(name, label) for name in compiled.bind_names.values() for label in expansions.get(name, (name,))]
    plain = list(compiled.positiontup or ())
    if compiled.dialect.paramstyle.startswith("numeric"):  # lists come last, and each once
        expanded = [(name, label) for name in plain if name in expansions for label in expansions[name]]
        names = [(name, name) for name in plain if name not in expansions] + expanded
    else:
        names = [(name, label) for name in plain for label in expansions.get(name, (name,))]
    return names if len(names) == len(values) else None


def _batch_names(context: Any, compiled: Any, statement: str, values: Any) -> Sequence[tuple[str, str]] | None:
    """The names of a batch of "insertmanyvalues": those of one row, again and again."""
    style = getattr(getattr(context, "execute_style", None), "name", "")
    if style != "INSERTMANYVALUES" or statement[:7].upper() != "INSERT ":
        return None
    row = list(compiled.positiontup or ())
    if isinstance(values, Mapping):
        return [(_BATCHED.sub("", str(label)), str(label)) for label in values]
    if not row or len(values) % len(row) or not all(name in compiled.binds for name in row):
        return None
    if not all(getattr(compiled.binds[name], "_is_crud", False) for name in row):
        return None  # further values stand before or after the rows
    return [(name, name) for name in row]
