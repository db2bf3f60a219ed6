from __future__ import annotations

from datetime import UTC, date, datetime

from steinmetz.erp.kit.responses import ok
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.schemas import Schema


class Thing(Schema):
    made_at: datetime
    role: Role


def test_a_success_is_an_envelope_of_plain_json() -> None:
    thing = Thing(made_at=datetime(2026, 3, 2, 9, tzinfo=UTC), role=Role.CLERK)
    assert ok({"things": [thing], "day": date(2026, 3, 2)}) == {
        "success": True,
        "data": {"things": [{"madeAt": "2026-03-02T09:00:00Z", "role": "clerk"}], "day": "2026-03-02"},
    }
