"""The log of sign-ins: who came in, who was refused, who left."""

from __future__ import annotations

from datetime import datetime

from steinmetz.erp.db import Unit
from steinmetz.erp.kit.pagination import PageQuery, encode_cursor
from steinmetz.erp.modules.system import repository
from steinmetz.erp.modules.system.models import SignInEntry
from steinmetz.erp.modules.system.rules import Outcome
from steinmetz.erp.modules.system.schemas import SignInEntryView

__all__ = [
    "Outcome",
    "record_sign_in",
    "sign_ins",
]


def record_sign_in(
    unit: Unit, outcome: Outcome, user_id: int | None, user_name: str, detail: str, address: str, user_agent: str
) -> None:
    """Write into the log of sign-ins. Never what was typed: people type passwords into the field above it."""
    unit.session.add(
        SignInEntry(
            at=unit.now,
            user_id=user_id,
            user_name=user_name,
            outcome=outcome,
            detail=detail[:200],
            address=address[:64],
            user_agent=user_agent[:200].replace("\x00", ""),
            request_id=unit.request_id,
        )
    )


async def sign_ins(
    unit: Unit,
    page: PageQuery,
    *,
    user_id: int | None,
    outcome: Outcome | None,
    since: datetime | None,
    until: datetime | None,
) -> tuple[list[SignInEntryView], str | None, int]:
    """One page of the log of sign-ins, newest first; the cursor of the next; how many entries there are."""
    after = page.after(int)
    entries, total = await repository.sign_ins(
        unit.session,
        user_id=user_id,
        outcome=outcome,
        since=since,
        until=until,
        before_id=after[0] if after else None,
        limit=page.limit + 1,
    )
    shown = [SignInEntryView.model_validate(entry) for entry in entries[: page.limit]]
    return shown, encode_cursor(shown[-1].id) if len(entries) > page.limit else None, total
