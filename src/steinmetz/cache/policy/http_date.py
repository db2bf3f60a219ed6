"""HTTP-date: an instant as header fields write it (RFC 9110, 5.6.7)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_MONTH = f"(?P<month>{'|'.join(_MONTHS)})"
_DAY_NAME = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"

# "A recipient that parses a timestamp value in an HTTP field MUST accept all three HTTP-date formats."
_FORMS = tuple(
    re.compile(form)
    for form in (
        rf"(?:{'|'.join(_DAYS)}), (?P<day>\d\d) {_MONTH} (?P<year>\d{{4}}) {_TIME} GMT",
        rf"{_DAY_NAME}, (?P<day>\d\d)-{_MONTH}-(?P<year>\d\d) {_TIME} GMT",
        rf"(?:{'|'.join(_DAYS)}) {_MONTH} (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})",
    )
)


def http_date_s(value: bytes, now_s: float) -> float | None:
    """The POSIX timestamp that ``value`` names, or None if it is no HTTP-date.

    ``now_s`` tells which century a year of two digits belongs to.
    """
    text = value.decode("latin-1").strip(" \t")
    for form in _FORMS:
        if (found := form.fullmatch(text)) is not None:
            return _instant(found, now_s)
    return None


def _instant(found: re.Match[str], now_s: float) -> float | None:
    year, second = int(found["year"]), int(found["second"])
    if len(found["year"]) == 2:
        # "a timestamp that appears to be more than 50 years in the future" is "the most recent year in the past
        # that had the same last two digits".
        this_year = datetime.fromtimestamp(now_s, UTC).year
        year += this_year // 100 * 100
        if year > this_year + 50:
            year -= 100
    try:
        instant = datetime(
            year,
            _MONTHS.index(found["month"]) + 1,
            int(found["day"]),
            int(found["hour"]),
            int(found["minute"]),
            min(second, 59),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    # 60 is a leap second, more is nothing.
    return None if second > 60 else instant.timestamp() + (second == 60)


def http_date(instant_s: float) -> bytes:
    """The IMF-fixdate of a POSIX timestamp, whole seconds."""
    at = datetime.fromtimestamp(int(instant_s), UTC)
    day, month = _DAYS[at.weekday()], _MONTHS[at.month - 1]
    return f"{day}, {at.day:02} {month} {at.year:04} {at:%H:%M:%S} GMT".encode()
