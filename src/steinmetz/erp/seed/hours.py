"""Working time: a morning and an afternoon for each day that somebody was there, never overlapping.

Who is away by granted leave books nothing. Part-timers work fewer days or shorter ones. Of today
there is a morning.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from random import Random

from steinmetz.erp.seed.articles import PROJECTS
from steinmetz.erp.seed.leave import absences
from steinmetz.erp.seed.people import DIVISIONS
from steinmetz.erp.seed.rows import EmployeeRow, LeaveRow, TimeEntryRow
from steinmetz.erp.seed.workdays import ONE_DAY, is_workday

_INTERNAL = {
    "Produktion": "Serienfertigung",
    "Lager und Versand": "Lagerbetrieb",
    "Entwicklung": "Baureihe SGM",
    "Service und Montage": "Wartungsverträge",
    "Vertrieb": "Angebote und Aufträge",
    "Finanzen und Personal": "Tagesgeschäft",
    "Einkauf": "Beschaffung",
    "IT und Verwaltung": "Betrieb",
}
_ON_PROJECTS = {"Produktion": 0.35, "Entwicklung": 0.7, "Service und Montage": 0.75, "Vertrieb": 0.3}
"""The share of mornings and afternoons that are booked on a project instead."""
_NOTES = ("", "", "", "", "", "Abstimmung mit dem Kunden", "Nacharbeit", "Rüsten", "Prüfung", "Dokumentation")


class Hours:
    """Plans which days the wanted number of entries reaches back to, then gives the rows day by day."""

    def __init__(
        self, count: int, employees: list[EmployeeRow], leave: list[LeaveRow], seed: int, today: date
    ) -> None:
        self._rng = Random(f"{seed}/hours")
        self._count = count
        self._employees = employees
        self._away = set(absences(leave))
        self._today = today
        self._names = [division.name for division in DIVISIONS]

    def rows(self) -> Iterator[TimeEntryRow]:
        """Exactly the wanted number, oldest first; of the oldest day only as many as fit."""
        first, surplus = self._reach_back()
        number = -surplus
        day = first
        while day <= self._today:
            for row in self._of(day):
                number += 1
                if number > 0:
                    yield row._replace(id=number)
            day += ONE_DAY

    def _reach_back(self) -> tuple[date, int]:
        """The oldest day that is needed, and how many entries too many it brings.

        Raises `ValueError` if the employees cannot have worked as much as is wanted.
        """
        reached, day = 0, self._today
        oldest = min(employee.hired_on for employee in self._employees)
        while True:
            present = sum(1 for employee in self._employees if self._is_there(employee, day))
            reached += present if day == self._today else 2 * present
            if reached >= self._count:
                return day, reached - self._count
            day -= ONE_DAY
            if day < oldest:
                raise ValueError(f"{len(self._employees)} employees cannot have {self._count} time entries")

    def _is_there(self, employee: EmployeeRow, day: date) -> bool:
        if (
            not is_workday(day)
            or employee.hired_on > day
            or (employee.left_on is not None and employee.left_on < day)
        ):
            return False
        if _days_a_week(employee) == 4 and day.weekday() == employee.id % 5:
            return False
        return (employee.id, day) not in self._away

    def _of(self, day: date) -> Iterator[TimeEntryRow]:
        for employee in self._employees:
            if self._is_there(employee, day):
                yield from self._day_of(employee, day)

    def _day_of(self, employee: EmployeeRow, day: date) -> Iterator[TimeEntryRow]:
        chance = self._rng.random
        worked = employee.weekly_minutes // _days_a_week(employee) + 5 * int(9 * chance()) - 20
        begins = self._begins(employee) + 5 * int(7 * chance())
        break_begins = begins + worked // 2 // 5 * 5 - 30 + 5 * int(12 * chance())
        break_minutes = 30 + 5 * int(4 * chance())
        yield self._entry(employee, day, begins, break_begins)
        if day != self._today:
            yield self._entry(employee, day, break_begins + break_minutes, begins + worked + break_minutes)

    def _begins(self, employee: EmployeeRow) -> int:
        """Minutes after midnight. A third of production works the late shift."""
        division = self._names[employee.department_id - 1]
        if division == "Produktion":
            return 355 if employee.id % 3 else 835
        return 390 if division in {"Lager und Versand", "Service und Montage"} else 450

    def _entry(self, employee: EmployeeRow, day: date, start: int, end: int) -> TimeEntryRow:
        chance = self._rng.random
        division = self._names[employee.department_id - 1]
        on_project = chance() < _ON_PROJECTS.get(division, 0.1)
        # Everybody works on few projects: those near their own number.
        project = (
            PROJECTS[(employee.id + int(3 * chance())) % len(PROJECTS)] if on_project else _INTERNAL[division]
        )
        note = _NOTES[int(len(_NOTES) * chance())] if on_project else ""
        return TimeEntryRow(0, employee.id, day, start, end, project, note, 1)


def _days_a_week(employee: EmployeeRow) -> int:
    return 4 if employee.weekly_minutes in {1_440, 1_920} else 5
