"""The schema as the models say it, and what stands beside it in the database only."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.util import find_spec
from typing import Any

from sqlalchemy import MetaData

import steinmetz.erp.modules
from steinmetz.erp.kit.columns import Base

_SEARCH_TABLES = "function_nodes_fts"
"""The FTS5 table, its shadow tables, its docids and its view all begin so."""
_SEARCH_COLUMN = "search"
_SEARCH_INDEX = "ix_function_nodes_search"


def schema() -> MetaData:
    """The tables of every module."""
    for module in pkgutil.iter_modules(steinmetz.erp.modules.__path__):
        models = f"{steinmetz.erp.modules.__name__}.{module.name}.models"
        if find_spec(models) is not None:
            importlib.import_module(models)
    return Base.metadata


def is_of_the_models(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Alembic's ``include_object``: everything but the catalogue's search index, which only the engines know."""
    if kind == "table":
        return not (name or "").startswith(_SEARCH_TABLES)
    if kind == "column":
        return not (name == _SEARCH_COLUMN and item.table.name == "function_nodes")
    return not (kind == "index" and name == _SEARCH_INDEX)
