"""From a driver's parameters back to the columns they belong to, by SQLAlchemy's compiled bind map."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from steinmetz.monitor.analysis.redaction import Parameter
from steinmetz.sql.engine import Execution

_NUMBERED = re.compile(r"(?:_m?_?\d+)+$")
_COLUMN = re.compile(r"[^\W\d]\w*\b(?!\()")  # a bind compared to lower(token) is named after the function

ColumnOf = Callable[[str], str | None]


def bound_parameters(execution: Execution) -> list[Parameter]:
    """The parameters of an execution, those of the first set if there are many; a slow path."""
    values = execution.parameters
    if execution.many:
        values = values[0] if values else ()
    names, column_of = _bind_map(execution)
    if isinstance(values, Mapping):
        return [Parameter(str(name), value, column_of(str(name))) for name, value in values.items()]
    if len(values) == len(names):
        return [Parameter(name, value, column_of(name)) for name, value in zip(names, values, strict=True)]
    return [Parameter(str(position), value) for position, value in enumerate(values, 1)]


def _bind_map(execution: Execution) -> tuple[Sequence[str], ColumnOf]:
    """The bind names in the driver's order, and what is certain of their columns."""
    compiled: Any = execution.context.compiled if execution.context is not None else None
    if compiled is None or execution.context is None or execution.statement is not execution.context.statement:
        return (), lambda name: None
    binds: Mapping[str, Any] = getattr(compiled, "binds", {})
    in_text = frozenset(_COLUMN.findall(execution.facts.text))
    assigns = bool(compiled.isinsert or compiled.isupdate)
    columns = compiled.statement.table.c if assigns else ()

    def column_of(name: str) -> str | None:
        base = _NUMBERED.sub("", name)
        bind = binds.get(name, binds.get(re.sub(r"_\d+$", "", name)))
        if bind is None or base not in in_text:
            return None
        # SQLAlchemy names a bind of its own after the column it is compared to or assigned to; any other name is
        # the programmer's and says nothing of the column.
        return base if bind.unique or (assigns and base in columns) else None

    return compiled.positiontup or (), column_of
