"""The figures of the company as they look from outside."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from enum import StrEnum
from typing import Literal

from steinmetz.erp.kit.schemas import Schema
from steinmetz.realtime import Event

CURRENCY = "EUR"


class WidgetId(StrEnum):
    """A widget's id is its field in the overview, too."""

    REVENUE = "revenue"
    OPEN_INVOICES = "openInvoices"
    OVERDUE_INVOICES = "overdueInvoices"
    CASH = "cash"
    HEADCOUNT = "headcount"
    HOURS_THIS_WEEK = "hoursThisWeek"
    BATCH = "batch"
    ACTIVITY = "activity"


class MonthRevenue(Schema):
    month: str
    """E.g. ``2026-03``."""
    net_cents: int


class RevenueFigure(Schema):
    """Net revenue of the last twelve months, oldest first, of invoices that were sent and not cancelled."""

    months: list[MonthRevenue]


class CustomerRevenue(Schema):
    customer_id: int
    name: str
    net_cents: int


class RevenueWidget(RevenueFigure):
    top_customers: list[CustomerRevenue]
    """The five who were billed most in the same months."""


class OwedFigure(Schema):
    """Invoices that customers have not settled, and what is left to pay on them."""

    count: int
    sum_cents: int


class CashFigure(Schema):
    """What the bank accounts and the cash box hold, by the books."""

    balance_cents: int


class AccountBalance(Schema):
    number: str
    name: str
    balance_cents: int


class CashWidget(CashFigure):
    accounts: list[AccountBalance]


class DepartmentHeadcount(Schema):
    name: str
    count: int


class HeadcountFigure(Schema):
    """Who is employed today."""

    total: int
    departments: list[DepartmentHeadcount]


class HoursFigure(Schema):
    """Minutes recorded in the week of the business date, Monday to Sunday."""

    week_start: dt.date
    minutes: int


class BatchFigure(Schema):
    """Jobs by status."""

    queued: int
    running: int
    done: int
    failed: int
    cancelled: int


class ActivityEntry(Schema):
    """A line of the audit log, without its before and after."""

    id: int
    at: datetime
    actor_name: str
    action: str
    entity: str
    entity_id: str
    summary: str


class Overview(Schema):
    """The figures that the company shows to everybody who signs in; also the payload of ``dashboard:update``.

    One document for all roles, so it holds sums only. What stands behind them is restricted and not in here: the
    best customers and the accounts (role manager), and acts on records that not everybody sees (role auditor).
    Those are told by /api/dashboard and /api/dashboard/widgets/{id}.
    """

    business_date: dt.date
    """The day, in company time, of which "today", "this week" and "this month" are said."""
    currency: str = CURRENCY
    revenue: RevenueFigure
    open_invoices: OwedFigure
    overdue_invoices: OwedFigure
    cash: CashFigure
    headcount: HeadcountFigure
    hours_this_week: HoursFigure
    batch: BatchFigure
    activity: list[ActivityEntry]
    """The last ten acts on customers, invoices, payments and jobs, newest first."""


Figure = (
    RevenueWidget | CashWidget | OwedFigure | HeadcountFigure | HoursFigure | BatchFigure | list[ActivityEntry]
)


class Widget(Schema):
    """A figure with what stands behind it, as far as the caller's role may see it."""

    id: WidgetId
    business_date: dt.date
    currency: str = CURRENCY
    data: Figure


class Dashboard(Schema):
    """The widgets that the caller's role may see: ``revenue`` and ``cash`` from manager on."""

    business_date: dt.date
    currency: str = CURRENCY
    widgets: list[Widget]


class RevenueUpdate(Schema):
    widget: Literal[WidgetId.REVENUE]
    data: RevenueFigure


class OwedUpdate(Schema):
    widget: Literal[WidgetId.OPEN_INVOICES, WidgetId.OVERDUE_INVOICES]
    data: OwedFigure


class CashUpdate(Schema):
    widget: Literal[WidgetId.CASH]
    data: CashFigure


class HeadcountUpdate(Schema):
    widget: Literal[WidgetId.HEADCOUNT]
    data: HeadcountFigure


class HoursUpdate(Schema):
    widget: Literal[WidgetId.HOURS_THIS_WEEK]
    data: HoursFigure


class BatchUpdate(Schema):
    widget: Literal[WidgetId.BATCH]
    data: BatchFigure


class ActivityUpdate(Schema):
    widget: Literal[WidgetId.ACTIVITY]
    data: list[ActivityEntry]


WidgetUpdate = (
    RevenueUpdate | OwedUpdate | CashUpdate | HeadcountUpdate | HoursUpdate | BatchUpdate | ActivityUpdate
)
"""A field of the overview that differs."""

DASHBOARD_ROOM = "dashboard-room"
UPDATE = Event("dashboard:update", Overview, rooms=(DASHBOARD_ROOM,), about="A commit has changed the overview")
WIDGET_UPDATE = Event(
    "dashboard:widget:update",
    WidgetUpdate,
    rooms=(DASHBOARD_ROOM,),
    about="A widget differs; said after the whole overview",
)
