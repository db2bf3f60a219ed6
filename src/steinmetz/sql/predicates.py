"""Which rows and columns a statement that SQLAlchemy compiled reads or writes: read off its final form, once.

The final form is what the compiler rendered: `compiled.compile_state.statement`, for an ORM query the Core SELECT
that came out of it, with loader options, criteria and polymorphic joins. Only elements that are known here are
reasoned about; with any other in it (text, literal SQL, a function as a table, LATERAL, a hint, an element of the
application's own) the statement keeps the grain of the table.

What binds an occurrence of a relation, that is a table or an alias in a FROM:

- ``column = :value`` and ``column IN (:values)`` in the top-level AND of WHERE, unless the occurrence is on the
  nullable side of an outer join;
- the same in the ON of an inner join, and in that of LEFT JOIN for what stands right of it;
- ``column = other.column`` in these places, if the other column is bound: rows that match none that counts do not
  count either.

A subquery in FROM is read like a statement of its own. Any other one (EXISTS, scalar, IN, CTE) looks at all rows
of what it names.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import structlog

from steinmetz.sql.facts import StatementFacts
from steinmetz.sql.reading import Reading
from steinmetz.sql.terms import Uncertain
from steinmetz.sql.writing import Writing

log = structlog.get_logger("steinmetz.sql")


def described(facts: StatementFacts, compiled: Any) -> StatementFacts:
    """``facts`` with the rows that ``compiled``, the statement's own compiled object, says it reads or writes.

    The result holds for this compiled object alone, for two with one text may name their parameters differently.
    """
    if not facts.direct or getattr(compiled, "compile_state", None) is None:
        return facts
    try:
        if facts.is_write:
            changes = Writing(facts, compiled).template()
            return facts if changes is None else replace(facts, changes=changes)
        looks_at = Reading(facts, compiled).template()
        return facts if looks_at is None else replace(facts, looks_at=looks_at)
    except Uncertain:
        return facts
    except Exception as error:  # another SQLAlchemy: the grain of the table needs nothing of it
        log.info("The rows of a statement could not be told", statement=facts.text, error=repr(error))
        return facts
