"""Why the ORM sent a statement: read from the execution context, where SQLAlchemy keeps it for its own loaders.

Some of these names are private (``_sa_orm_load_options``, ``_lazy_loaded_from``, ``_compile_options`` with
``_current_path``, ``_only_load_props``); where one is missing, the origin is "the application asked", and advice
is given in terms of SQL. ``test_orm_origin.py`` is the canary for each SQLAlchemy minor. Reached only for a
statement that has been repeated, once for each call site.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from steinmetz.monitor.analysis.remedies import APPLICATION, Cause, Origin

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import ExecutionContext


def origin_of(context: ExecutionContext | None) -> Origin:
    """What the ORM was doing; never raises."""
    try:
        return _origin(context) if context is not None else APPLICATION
    except Exception:
        return APPLICATION  # another SQLAlchemy: better no name than a wrong one


def _origin(context: Any) -> Origin:
    compiled = context.compiled
    if compiled is None:
        return APPLICATION
    statement = getattr(compiled, "statement", None)
    if getattr(statement, "is_dml", False):
        # The unit of work keeps its compiled statements with its mapper.
        flushes = "compiled_cache" in context.execution_options
        return Origin(Cause.FLUSH) if flushes else APPLICATION
    load = context.execution_options.get("_sa_orm_load_options")
    options = getattr(statement, "_compile_options", None)
    lazy = getattr(load, "_lazy_loaded_from", None)
    path = getattr(options, "_current_path", None)
    if lazy is not None or path:
        return _relationship(path, Cause.LAZY_LOAD if lazy is not None else Cause.EAGER_LOAD, lazy)
    state = getattr(load, "_refresh_state", None)
    if state is not None:
        return _reload(state, getattr(options, "_only_load_props", None))
    return Origin(entity=_entity(statement))


def _relationship(path: Any, cause: Cause, owner_state: Any) -> Origin:
    attribute: Any = path[-1] if path else None
    if getattr(attribute, "key", None) is None or not hasattr(attribute, "mapper"):
        return Origin(cause, f"a relationship of {owner_state.class_.__name__}") if owner_state else APPLICATION
    owner = attribute.parent
    return Origin(
        cause,
        subject=f"{owner.class_.__name__}.{attribute.key}",
        is_collection=bool(attribute.uselist),
        is_recursive=attribute.mapper.base_mapper is owner.base_mapper,
    )


def _reload(state: Any, wanted: Any) -> Origin:
    mapper: Any = state.mapper
    name: str = state.class_.__name__
    keys = sorted(wanted or ())
    if not keys:
        return Origin(Cause.REFRESH, entity=name)
    columns: list[Any] = [mapper.column_attrs[key].columns[0] for key in keys if key in mapper.column_attrs]
    if mapper.inherits is not None and columns and all(c.table is mapper.local_table for c in columns):
        return Origin(Cause.INHERITED, subject=mapper.base_mapper.class_.__name__, entity=name)
    if set(keys) & set(state.expired_attributes):
        return Origin(Cause.EXPIRED, entity=name)
    return Origin(Cause.DEFERRED, subject=f"{name}.{keys[0]}", entity=name)


def _entity(statement: Any) -> str:
    """The one class that a SELECT of the ORM returns."""
    descriptions: Any = getattr(statement, "column_descriptions", ())
    if len(descriptions) != 1:
        return ""
    entity = descriptions[0].get("entity")
    return entity.__name__ if isinstance(entity, type) and descriptions[0].get("expr") is entity else ""
