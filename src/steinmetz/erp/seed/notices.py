"""A dozen notices of the last weeks, most of them read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from steinmetz.erp.kit.language import Language, day
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.modules.notifications.rules import AudienceKind, Level
from steinmetz.erp.seed.people import LOGINS
from steinmetz.erp.seed.rows import NotificationReadRow, NotificationRow, UserRow
from steinmetz.erp.seed.workdays import at, on_or_after
from steinmetz.erp.texts import OVERDUE_TITLE, SOME_OVERDUE


class _Notice(NamedTuple):
    days_ago: int
    level: Level
    to: Role | None
    """None: everybody."""
    title: str
    message: str
    link: str | None = None


_NOTICES = (
    _Notice(
        44, Level.INFO, None, "Betriebsferien", "Zwischen Weihnachten und Neujahr bleibt das Werk geschlossen."
    ),
    _Notice(
        40, Level.SUCCESS, None, "Zertifikat erneuert", "Das Audit nach ISO 9001 ist ohne Abweichung bestanden."
    ),
    _Notice(35, Level.INFO, Role.MANAGER, "Budgetrunde", "Bitte die Planzahlen bis Monatsende eintragen."),
    _Notice(31, Level.WARNING, Role.CLERK, "Neue Bankverbindung", "Auf Rechnungen gilt ab sofort das neue Konto."),
    _Notice(24, Level.INFO, None, "Wartung am Samstag", "Von 6 bis 8 Uhr ist das System nicht erreichbar."),
    _Notice(20, Level.SUCCESS, Role.MANAGER, "Jahresabschluss", "Der Entwurf liegt zur Durchsicht bereit."),
    _Notice(
        17, Level.INFO, Role.AUDITOR, "Prüfungsunterlagen", "Die Saldenlisten des Vorjahres sind vollständig."
    ),
    _Notice(
        12, Level.ERROR, Role.ADMIN, "Sicherung fehlgeschlagen", "Der Datenträger war voll; er ist getauscht."
    ),
    _Notice(9, Level.INFO, Role.CLERK, "Inventur am Freitag", "Ab 12 Uhr bleibt das Lager geschlossen."),
    _Notice(6, Level.WARNING, None, "Glatteis", "Bitte den Hof nur auf den gestreuten Wegen betreten."),
    _Notice(2, Level.INFO, None, "Tag der offenen Tür", "Wer eine Führung übernimmt, meldet sich beim Empfang."),
)
_OVERDUE_DAYS_AGO = 4


def notices(users: list[UserRow], today: date) -> Iterator[NotificationRow | NotificationReadRow]:
    """What administrator and scheduler have announced; the demo logins have read all but the last few."""
    author = next(user for user in users if user.role == Role.ADMIN)
    told = sorted(
        [_written(notice, author, today) for notice in _NOTICES] + [_overdue(today)], key=lambda row: row.at
    )
    rows = [row._replace(id=number) for number, row in enumerate(told, 1)]
    yield from rows
    for row in rows[:-4]:
        for user in users[: len(LOGINS)]:
            if row.role in {None, user.role}:
                yield NotificationReadRow(row.id, user.id, row.at + timedelta(hours=1))


def _written(notice: _Notice, author: UserRow, today: date) -> NotificationRow:
    return NotificationRow(
        id=0,
        audience=AudienceKind.ALL if notice.to is None else AudienceKind.ROLE,
        role=notice.to,
        user_id=None,
        level=notice.level,
        title_en=notice.title,
        title_de=notice.title,
        message_en=notice.message,
        message_de=notice.message,
        link=notice.link,
        at=at(_workday(today, notice.days_ago), 0.2),
        expires_at=None,
        author_id=author.id,
        once=None,
    )


def _overdue(today: date) -> NotificationRow:
    """As the scheduler says it."""
    since = _workday(today, _OVERDUE_DAYS_AGO)
    return NotificationRow(
        id=0,
        audience=AudienceKind.ROLE,
        role=Role.MANAGER,
        user_id=None,
        level=Level.WARNING,
        title_en=OVERDUE_TITLE.into(Language.EN, day=day(since, Language.EN)),
        title_de=OVERDUE_TITLE.into(Language.DE, day=day(since, Language.DE)),
        message_en=SOME_OVERDUE.into(Language.EN, count=3),
        message_de=SOME_OVERDUE.into(Language.DE, count=3),
        link=None,
        at=at(since, 0.0),
        expires_at=None,
        author_id=None,
        once=f"overdue:{since.isoformat()}",
    )


def _workday(today: date, days_ago: int) -> date:
    return min(on_or_after(today - timedelta(days=days_ago)), today - timedelta(days=1))
