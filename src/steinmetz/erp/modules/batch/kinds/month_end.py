"""``report.month-end``: a month in figures, section by section, as JSON or CSV."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from pydantic import Field

from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Unprocessable
from steinmetz.erp.kit.days import company_date, month_bounds
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.schemas import Input, example
from steinmetz.erp.kit.spreadsheet import csv_line
from steinmetz.erp.modules.batch.kinds.port import Document, Kind, Payload, Plan
from steinmetz.erp.modules.finance import service as finance
from steinmetz.erp.modules.hr import service as hr


class MonthParameters(Input):
    """Which month, e.g. ``2026-02``, and as which file."""

    model_config = example(month="2026-02", format="csv")

    month: Annotated[str, Field(pattern=r"^(19|20|21)\d\d-(0[1-9]|1[0-2])$")]
    format: Literal["json", "csv"] = "json"


Section = dict[str, Any]


async def _revenue(unit: Unit, first: dt.date, last: dt.date) -> Section:
    (revenue,) = await finance.figures.revenue_by_month(unit, last, months=1)
    return {"netCents": revenue.net_cents}


async def _open_items(unit: Unit, first: dt.date, last: dt.date) -> Section:
    owed = await finance.figures.owed_at(unit, last)
    return {"count": owed.count, "sumCents": owed.cents}


async def _cash(unit: Unit, first: dt.date, last: dt.date) -> Section:
    balances = await finance.figures.cash_at(unit, last)
    by_account = {f"{each.number} {each.name}": each.cents for each in balances}
    return {"balanceCents": sum(by_account.values()), **by_account}


async def _hours(unit: Unit, first: dt.date, last: dt.date) -> Section:
    return {"minutes": await hr.minutes_between(unit, first, last)}


async def _headcount(unit: Unit, first: dt.date, last: dt.date) -> Section:
    by_department = {each.department: each.employees for each in await hr.headcount(unit, last)}
    return {"employees": sum(by_department.values()), **by_department}


SECTIONS: dict[str, Callable[[Unit, dt.date, dt.date], Awaitable[Section]]] = {
    "revenue": _revenue,
    "openItems": _open_items,
    "cash": _cash,
    "hours": _hours,
    "headcount": _headcount,
}


async def plan(unit: Unit, wanted: MonthParameters) -> Plan:
    """Raises `Unprocessable` for a month that has not begun."""
    if wanted.month > f"{company_date(unit.now):%Y-%m}":
        raise Unprocessable(f"{wanted.month} has not begun.", "month")
    return Plan([{"section": section} for section in SECTIONS], wanted.model_dump(mode="json"))


async def run(unit: Unit, parameters: Payload, payload: Payload) -> str:
    section = payload["section"]
    first, end = month_bounds(dt.date.fromisoformat(f"{parameters['month']}-01"))
    figures = await SECTIONS[section](unit, first, end - dt.timedelta(days=1))
    if parameters["format"] == "json":
        return f",{json.dumps(section)}:{json.dumps(figures, ensure_ascii=False)}"
    return "".join(csv_line([parameters["month"], section, name, value]) for name, value in figures.items())


def document(parameters: Payload) -> Document:
    name = f"month-end-{parameters['month']}.{parameters['format']}"
    if parameters["format"] == "json":
        return Document(name, "application/json", f'{{"month":"{parameters["month"]}"', "}\n")
    return Document(name, "text/csv; charset=utf-8", csv_line(["month", "section", "figure", "value"]))


MONTH_END = Kind(
    "report.month-end", MonthParameters, lambda wanted: Role.MANAGER, plan, run, document, is_whole=True
)
