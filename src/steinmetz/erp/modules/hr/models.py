"""Departments, employees, their time and their leave."""

from __future__ import annotations

import datetime as dt
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from steinmetz.erp.kit.columns import Base, Instant, one_of, word
from steinmetz.erp.modules.hr.rules import LeaveKind, LeaveStatus


class Department(Base):
    __tablename__ = "departments"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    cost_center: Mapped[str] = mapped_column(String(12), unique=True)
    version: Mapped[int] = mapped_column(default=1, server_default="1")

    __mapper_args__ = {"version_id_col": version}


class Employee(Base):
    __tablename__ = "employees"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(12), unique=True)
    first_name: Mapped[str] = mapped_column(String(60))
    last_name: Mapped[str] = mapped_column(String(60), index=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    department_id: Mapped[int] = mapped_column(ForeignKey("departments.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), unique=True, default=None
    )
    job_title: Mapped[str] = mapped_column(String(80))
    weekly_minutes: Mapped[int] = mapped_column(default=2400)
    salary_cents: Mapped[int] = mapped_column(BigInteger, default=0)
    """Gross, a month."""
    vacation_days: Mapped[int] = mapped_column(default=30, server_default="30")
    """Workdays of vacation that a calendar year brings."""
    hired_on: Mapped[dt.date]
    left_on: Mapped[dt.date | None] = mapped_column(default=None)
    """The last day of employment."""
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class TimeEntry(Base):
    __tablename__ = "time_entries"
    __table_args__ = (
        CheckConstraint("end_minute > start_minute AND start_minute >= 0 AND end_minute <= 1440", name="span"),
        Index("ix_time_entries_employee_id_date", "employee_id", "date"),
        Index("ix_time_entries_date", "date"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    employee_id: Mapped[int] = mapped_column(ForeignKey("employees.id", ondelete="CASCADE"))
    date: Mapped[dt.date]
    start_minute: Mapped[int]
    """Minutes after midnight, company time."""
    end_minute: Mapped[int]
    project: Mapped[str] = mapped_column(String(80), default="")
    note: Mapped[str] = mapped_column(String(300), default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}


class LeaveRequest(Base):
    __tablename__ = "leave_requests"
    __table_args__ = (
        one_of("status", LeaveStatus),
        one_of("kind", LeaveKind),
        CheckConstraint("last_day >= first_day", name="span"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    employee_id: Mapped[int] = mapped_column(ForeignKey("employees.id", ondelete="CASCADE"), index=True)
    kind: Mapped[LeaveKind] = mapped_column(word(LeaveKind))
    status: Mapped[LeaveStatus] = mapped_column(word(LeaveStatus), default=LeaveStatus.REQUESTED, index=True)
    first_day: Mapped[dt.date]
    last_day: Mapped[dt.date]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), default=None)
    reason: Mapped[str] = mapped_column(String(300), default="", server_default="")
    """Why it was rejected, as the employee may read it."""
    created_at: Mapped[datetime] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}
