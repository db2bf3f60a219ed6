"""States of leave; pure."""

from __future__ import annotations

from enum import StrEnum


class LeaveStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"


class LeaveKind(StrEnum):
    VACATION = "vacation"
    SICK = "sick"
    SPECIAL = "special"
