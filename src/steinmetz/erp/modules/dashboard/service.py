"""Today's figures, asked of the modules that own them: one question to the database each, and only if a commit has
changed what it read since it was asked last.

Answers hold no instant of reading, only the business date: the same state gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Forbidden, NotFound
from steinmetz.erp.kit.days import company_date, week_start
from steinmetz.erp.kit.roles import Role, may_read
from steinmetz.erp.modules.batch import service as batch
from steinmetz.erp.modules.dashboard.schemas import (
    AccountBalance,
    ActivityEntry,
    BatchFigure,
    CashFigure,
    CashWidget,
    CustomerRevenue,
    Dashboard,
    DepartmentHeadcount,
    Figure,
    HeadcountFigure,
    HoursFigure,
    MonthRevenue,
    Overview,
    OwedFigure,
    RevenueFigure,
    RevenueWidget,
    Widget,
    WidgetId,
)
from steinmetz.erp.modules.finance import service as finance
from steinmetz.erp.modules.hr import service as hr
from steinmetz.erp.modules.system import service as system

SHOWN_ACTS = 10
SEEN_BY_ALL = ("batch_job", "customer", "invoice", "payment")
"""Acts on these records are no secret from anybody who signs in; all others are the auditor's."""


async def overview(unit: Unit) -> Overview:
    """The figures for everybody, in seven questions at most."""
    today = company_date(unit.now)
    owed = await unit.recalled(finance.figures.owed)
    return Overview(
        business_date=today,
        revenue=RevenueFigure(months=await _months(unit, today)),
        open_invoices=_owed(owed.open),
        overdue_invoices=_owed(owed.overdue),
        cash=CashFigure(balance_cents=(await _cash(unit, today)).balance_cents),
        headcount=await _headcount(unit, today),
        hours_this_week=await _hours(unit, today),
        batch=await _batch(unit, today),
        activity=await unit.recalled(_activity, False),
    )


async def dashboard(unit: Unit) -> Dashboard:
    """All widgets that the caller may see, in the order of `WidgetId`."""
    today = company_date(unit.now)
    seen = [each for each in WidgetId if may_read(unit.actor.role, SOURCES[each].needed)]
    widgets = [Widget(id=each, business_date=today, data=await SOURCES[each].ask(unit, today)) for each in seen]
    return Dashboard(business_date=today, widgets=widgets)


async def widget(unit: Unit, widget_id: str) -> Widget:
    """One widget. Raises `NotFound`, `Forbidden`."""
    if widget_id not in SOURCES:
        raise NotFound("widget", widget_id)
    wanted = WidgetId(widget_id)
    source = SOURCES[wanted]
    if not may_read(unit.actor.role, source.needed):
        raise Forbidden(source.needed)
    today = company_date(unit.now)
    return Widget(id=wanted, business_date=today, data=await source.ask(unit, today))


# Each widget's figure


async def _months(unit: Unit, today: dt.date) -> list[MonthRevenue]:
    revenue = await unit.recalled(finance.figures.revenue_by_month, today)
    return [MonthRevenue(month=f"{each.month:%Y-%m}", net_cents=each.net_cents) for each in revenue]


async def _revenue(unit: Unit, today: dt.date) -> RevenueWidget:
    best = await unit.recalled(finance.figures.top_customers, today)
    return RevenueWidget(
        months=await _months(unit, today),
        top_customers=[
            CustomerRevenue(customer_id=customer_id, name=name, net_cents=net_cents)
            for customer_id, name, net_cents in best
        ],
    )


def _owed(sums: finance.figures.Sums) -> OwedFigure:
    return OwedFigure(count=sums.count, sum_cents=sums.cents)


async def _open_invoices(unit: Unit, today: dt.date) -> OwedFigure:
    return _owed((await unit.recalled(finance.figures.owed)).open)


async def _overdue_invoices(unit: Unit, today: dt.date) -> OwedFigure:
    return _owed((await unit.recalled(finance.figures.owed)).overdue)


async def _cash(unit: Unit, today: dt.date) -> CashWidget:
    balances = await unit.recalled(finance.figures.cash_balances)
    return CashWidget(
        balance_cents=sum(each.cents for each in balances),
        accounts=[
            AccountBalance(number=each.number, name=each.name, balance_cents=each.cents) for each in balances
        ],
    )


async def _headcount(unit: Unit, today: dt.date) -> HeadcountFigure:
    departments = [
        DepartmentHeadcount(name=each.department, count=each.employees)
        for each in await unit.recalled(hr.headcount, today)
    ]
    return HeadcountFigure(total=sum(each.count for each in departments), departments=departments)


async def _hours(unit: Unit, today: dt.date) -> HoursFigure:
    monday = week_start(today)
    worked = await unit.recalled(hr.minutes_between, monday, monday + timedelta(days=6))
    return HoursFigure(week_start=monday, minutes=worked)


async def _batch(unit: Unit, today: dt.date) -> BatchFigure:
    counts = await unit.recalled(batch.count_by_status)
    return BatchFigure(**{status.value: count for status, count in counts.items()})


async def _activity(unit: Unit, everything: bool) -> list[ActivityEntry]:
    entries = await system.audit.latest(unit, SHOWN_ACTS, entities=None if everything else SEEN_BY_ALL)
    return [
        ActivityEntry(
            id=entry.id,
            at=entry.at,
            actor_name=entry.actor_name,
            action=entry.action,
            entity=entry.entity,
            entity_id=entry.entity_id,
            summary=entry.summary,
        )
        for entry in entries
    ]


async def _activity_for_role(unit: Unit, today: dt.date) -> list[ActivityEntry]:
    return await unit.recalled(_activity, may_read(unit.actor.role, Role.AUDITOR))


@dataclass(frozen=True, slots=True)
class Source:
    """Who may see a widget, and where its figure comes from."""

    needed: Role
    ask: Callable[[Unit, dt.date], Awaitable[Figure]]


SOURCES: dict[WidgetId, Source] = {
    WidgetId.REVENUE: Source(Role.MANAGER, _revenue),
    WidgetId.OPEN_INVOICES: Source(Role.CLERK, _open_invoices),
    WidgetId.OVERDUE_INVOICES: Source(Role.CLERK, _overdue_invoices),
    WidgetId.CASH: Source(Role.MANAGER, _cash),
    WidgetId.HEADCOUNT: Source(Role.CLERK, _headcount),
    WidgetId.HOURS_THIS_WEEK: Source(Role.CLERK, _hours),
    WidgetId.BATCH: Source(Role.CLERK, _batch),
    WidgetId.ACTIVITY: Source(Role.CLERK, _activity_for_role),
}
