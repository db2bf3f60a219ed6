from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.modules.auth.rules import (
    Repeat,
    Reuse,
    Rotate,
    leaves_no_administrator,
    may_join,
    password_flaw,
    rooms_of,
    rotation,
)

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("presented", "current", "age_s", "decision"),
    [
        (1, 1, 0, Rotate()),
        (5, 5, 86_400, Rotate()),
        (4, 5, 0, Repeat()),
        (4, 5, 10, Repeat()),
        (4, 5, 10.001, Reuse()),
        (3, 5, 0, Reuse()),
        (1, 9, 86_400, Reuse()),
        (6, 5, 0, Reuse()),
    ],
)
def test_refresh_tokens_rotate_repeat_or_betray_a_thief(
    presented: int, current: int, age_s: float, decision: Rotate | Repeat | Reuse
) -> None:
    assert rotation(presented, current, NOW - timedelta(seconds=age_s), NOW) == decision


@pytest.mark.parametrize(
    ("password", "is_good"),
    [
        ("correct horse", True),
        ("steinmetz-demo", True),
        ("ä" * 5 + "bcdef", True),
        ("short", False),
        ("ababababababab", False),
        ("Erika.Muster@example.com", False),
        ("erika.muster", False),
    ],
)
def test_passwords_count_by_length(password: str, is_good: bool) -> None:
    assert (password_flaw(password, "erika.muster@example.com") is None) is is_good


def test_rooms_follow_the_role() -> None:
    clerk = Actor(7, "K", Role.CLERK, "s1")
    assert rooms_of(clerk) == ("dashboard-room", "chat-room", "role:clerk", "user:7", "user:7:session:s1")
    assert [role for role in Role if may_join(Actor(1, "", role), "ops")] == [Role.ADMIN, Role.AUDITOR]
    for foreign in ("user:8", "role:admin", "user:7:session:s2", "ops", ""):
        assert not may_join(clerk, foreign)


@pytest.mark.parametrize(
    ("is_administrator", "stays", "others", "leaves_none"),
    [(True, False, 0, True), (True, False, 1, False), (True, True, 0, False), (False, False, 1, False)],
)
def test_somebody_must_stay_administrator(
    is_administrator: bool, stays: bool, others: int, leaves_none: bool
) -> None:
    answer = leaves_no_administrator(
        is_administrator=is_administrator, stays_administrator=stays, other_administrators=others
    )
    assert answer is leaves_none
