"""Departments, employees, and the users among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.catalog.rules import slug
from steinmetz.erp.seed.names import FIRST_NAMES, LAST_NAMES
from steinmetz.erp.seed.rows import DepartmentRow, EmployeeRow, UserRow
from steinmetz.erp.seed.workdays import at, first_workday, on_or_after, window_start

DOMAIN = "steinmetz.example"


class Login(NamedTuple):
    """A user of the demo who can sign in."""

    email: str
    role: Role


VACATION_DAYS = 30
"""A year, as in the metal industry's collective agreement."""

PASSWORD = "steinmetz-demo"
"""Of all four demo logins."""

LOGINS = tuple(Login(f"{role}@{DOMAIN}", role) for role in (Role.ADMIN, Role.MANAGER, Role.CLERK, Role.AUDITOR))

PasswordHasher = Callable[[str], str]


class Post(NamedTuple):
    """A job in a department: how many of 100 do it, and what it is paid in euros a month, from and to."""

    title: str
    weight: int
    low: int
    high: int


class Division(NamedTuple):
    """A department: its share of 100 employees, its head and its posts."""

    name: str
    cost_center: str
    share: int
    head: str
    posts: tuple[Post, ...]


DIVISIONS = (
    Division(
        "Produktion",
        "4000",
        36,
        "Leitung Produktion",
        (
            Post("Industriemechaniker", 34, 3100, 4100),
            Post("Zerspanungsmechaniker", 26, 3150, 4200),
            Post("Elektroniker für Betriebstechnik", 16, 3200, 4300),
            Post("Maschinen- und Anlagenführer", 14, 2800, 3500),
            Post("Schichtführer", 6, 4000, 4800),
            Post("Auszubildende Industriemechanik", 4, 1120, 1290),
        ),
    ),
    Division(
        "Lager und Versand",
        "5000",
        11,
        "Leitung Lager und Versand",
        (
            Post("Fachkraft für Lagerlogistik", 60, 2650, 3300),
            Post("Staplerfahrer", 25, 2550, 3050),
            Post("Versanddisponent", 15, 3000, 3700),
        ),
    ),
    Division(
        "Entwicklung",
        "3000",
        14,
        "Leitung Entwicklung",
        (
            Post("Konstrukteur", 40, 4300, 5900),
            Post("Entwicklungsingenieur Antriebe", 30, 4800, 6600),
            Post("Softwareentwickler Steuerungen", 20, 4700, 6500),
            Post("Technische Zeichnerin", 10, 3300, 4100),
        ),
    ),
    Division(
        "Service und Montage",
        "6000",
        14,
        "Leitung Service",
        (
            Post("Servicetechniker", 60, 3400, 4600),
            Post("Montageleiter", 15, 4200, 5200),
            Post("Einsatzplaner", 15, 3300, 4200),
            Post("Ersatzteilberater", 10, 3100, 3900),
        ),
    ),
    Division(
        "Vertrieb",
        "2000",
        11,
        "Leitung Vertrieb",
        (
            Post("Vertriebsingenieur", 45, 4600, 6400),
            Post("Sachbearbeiter Vertrieb", 40, 3100, 4100),
            Post("Marketingreferent", 15, 3500, 4500),
        ),
    ),
    Division(
        "Finanzen und Personal",
        "7000",
        6,
        "Leitung Finanzen und Personal",
        (
            Post("Buchhalter", 40, 3300, 4400),
            Post("Controller", 20, 4400, 5700),
            Post("Personalreferent", 25, 3800, 4900),
            Post("Sachbearbeiter Entgelt", 15, 3200, 4000),
        ),
    ),
    Division(
        "Einkauf",
        "8000",
        5,
        "Leitung Einkauf",
        (Post("Strategischer Einkäufer", 50, 4000, 5300), Post("Disponent", 50, 3100, 4000)),
    ),
    Division(
        "IT und Verwaltung",
        "1000",
        3,
        "Leitung IT und Verwaltung",
        (
            Post("Systemadministrator", 55, 4000, 5400),
            Post("Assistenz der Geschäftsführung", 25, 3400, 4400),
            Post("Datenschutzkoordinator", 20, 3600, 4600),
        ),
    ),
)

_LOGIN_HOMES = {
    Role.ADMIN: "IT und Verwaltung",
    Role.MANAGER: "Finanzen und Personal",
    Role.CLERK: "Finanzen und Personal",
}
"""Where the demo logins work; the auditor comes from outside."""


class Staff(NamedTuple):
    users: list[UserRow]
    departments: list[DepartmentRow]
    employees: list[EmployeeRow]

    @property
    def bookkeepers(self) -> list[UserRow]:
        """Who may be named in the books' audit log: active clerks and managers."""
        return [user for user in self.users if user.role in {Role.CLERK, Role.MANAGER}]


def staff(employees: int, seed: int, today: date, password_hasher: PasswordHasher) -> Staff:
    """At least as many ``employees`` as there are departments; heads first, and one user in thirty employees.

    Only the four `LOGINS` have a password.
    """
    rng = Random(f"{seed}/staff")
    divisions = _divided(employees)
    people = [_employee(rng, number, division, today) for number, division in enumerate(divisions, 1)]
    people = _with_heads(people, divisions)
    people = _with_distinct_emails(people)
    users = _login_users(today, password_hasher)
    people = _seat_logins(people, users, divisions)
    for index in rng.sample(range(len(people)), len(people) // 30):
        person = people[index]
        if person.user_id is None and person.left_on is None:
            users.append(_user_of(person, len(users) + 1))
            people[index] = person._replace(user_id=len(users))
    rows = [DepartmentRow(number, each.name, each.cost_center, 1) for number, each in enumerate(DIVISIONS, 1)]
    return Staff(users, rows, people)


def _divided(employees: int) -> list[int]:
    """The department number of each employee: everyone gets one first, then by share."""
    numbers = list(range(1, len(DIVISIONS) + 1))
    filled = [1] * len(DIVISIONS)
    while len(numbers) < employees:
        wanting = max(
            range(len(DIVISIONS)),
            key=lambda index: DIVISIONS[index].share / 100 * employees - filled[index],
        )
        filled[wanting] += 1
        numbers.append(wanting + 1)
    return numbers[:employees]


def _employee(rng: Random, number: int, department: int, today: date) -> EmployeeRow:
    division = DIVISIONS[department - 1]
    post = rng.choices(division.posts, [each.weight for each in division.posts])[0]
    start = window_start(today)
    if rng.random() < 0.78:
        hired_on = start - timedelta(days=int(rng.random() ** 1.5 * 9_000) + 30)
    else:
        hired_on = start + timedelta(days=int(rng.random() * ((today - start).days - 60)))
    hired_on = first_workday(hired_on)
    left_on = None
    if rng.random() < 0.07 and hired_on < today - timedelta(days=300):
        since = max(hired_on + timedelta(days=200), start)
        left_on = since + timedelta(days=int(rng.random() * (today - since).days))
    part_time = rng.random() < 0.14
    weekly_minutes = rng.choice((1_200, 1_440, 1_800, 1_920)) if part_time else 2_400
    full_salary = post.low + rng.random() * (post.high - post.low)
    return EmployeeRow(
        id=number,
        number=f"M-{number:05d}",
        first_name=rng.choice(FIRST_NAMES),
        last_name=rng.choice(LAST_NAMES),
        email="",
        department_id=department,
        user_id=None,
        job_title=post.title,
        weekly_minutes=weekly_minutes,
        salary_cents=round(full_salary * weekly_minutes / 2_400) * 100,
        vacation_days=VACATION_DAYS,
        hired_on=hired_on,
        left_on=left_on,
        version=1,
    )


def _with_heads(people: list[EmployeeRow], divisions: list[int]) -> list[EmployeeRow]:
    """The first of each department leads it, full time, better paid if it is large, and is still there."""
    sizes = Counter(divisions)
    headed: set[int] = set()
    result = []
    for person, department in zip(people, divisions, strict=True):
        if department not in headed:
            headed.add(department)
            salary_cents = 750_000 if sizes[department] >= 5 else person.salary_cents
            person = person._replace(
                job_title=DIVISIONS[department - 1].head,
                weekly_minutes=2_400,
                salary_cents=salary_cents,
                left_on=None,
            )
        result.append(person)
    return result


def _with_distinct_emails(people: list[EmployeeRow]) -> list[EmployeeRow]:
    seen: dict[str, int] = {}
    result = []
    for person in people:
        local = f"{slug(person.first_name)}.{slug(person.last_name)}"
        seen[local] = seen.get(local, 0) + 1
        number = seen[local] if seen[local] > 1 else ""
        result.append(person._replace(email=f"{local}{number}@{DOMAIN}"))
    return result


def _login_users(today: date, password_hasher: PasswordHasher) -> list[UserRow]:
    created_at = at(on_or_after(window_start(today)), 0.0)
    return [
        UserRow(
            id=number,
            email=login.email,
            name="Petra Sommer (Wirtschaftsprüfung)",
            role=login.role,
            locale="de",
            password_hash=password_hasher(PASSWORD),
            is_active=True,
            auth_version=1,
            created_at=created_at,
            version=1,
        )
        for number, login in enumerate(LOGINS, 1)
    ]


def _seat_logins(people: list[EmployeeRow], users: list[UserRow], divisions: list[int]) -> list[EmployeeRow]:
    """Give the demo logins the names of employees of their departments: heads where they lead, else the next.

    So each but the auditor has hours and leave of the own.
    """
    people = list(people)
    for index, user in enumerate(users):
        home = _LOGIN_HOMES.get(Role(user.role))
        if home is None:
            continue
        department = next(number for number, each in enumerate(DIVISIONS, 1) if each.name == home)
        free = [place for place, person in enumerate(people) if person.user_id is None and person.left_on is None]
        # A tiny company may have nobody left there: then somebody of another department.
        place = next((place for place in free if people[place].department_id == department), free[-1])
        person = people[place]
        people[place] = person._replace(user_id=user.id)
        users[index] = user._replace(name=f"{person.first_name} {person.last_name}")
    return people


def _user_of(person: EmployeeRow, number: int) -> UserRow:
    leads = person.job_title.startswith("Leitung")
    return UserRow(
        id=number,
        email=person.email,
        name=f"{person.first_name} {person.last_name}",
        role=Role.MANAGER if leads else Role.CLERK,
        locale="de",
        password_hash=None,
        is_active=True,
        auth_version=1,
        created_at=at(on_or_after(person.hired_on), 0.1),
        version=1,
    )
