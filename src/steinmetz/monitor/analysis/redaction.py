"""What of a statement's parameters may be shown.

A value is judged by the name of its column, never by guessing in the value. Where the column is not certain (a
parameter of raw SQL, a column compared by way of a function), text is hidden, and so is everything else if the
statement names a sensitive column anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

REDACTED = "[redacted]"
HIDDEN = "…"

_SENSITIVE_WORDS = frozenset(
    {"iban", "bic", "pin", "tan", "otp", "totp", "mfa", "ssn", "cvv", "cvc", "pwd", "jwt", "salt", "hash", "lohn"}
)
_SENSITIVE_PARTS = (
    "password", "passwort", "passwd", "passphrase", "secret", "token", "salary", "gehalt", "wage", "credential",
    "apikey", "privatekey", "authorization", "cookie", "creditcard", "cardnumber", "kontonummer", "accountnumber",
    "taxid", "steuernummer", "sozialversicherung", "socialsecurity",
)  # fmt: skip
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NAME = re.compile(r"[^\W\d]\w*")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Parameter:
    """One bound value. ``column`` is its column where that is certain, else None; ``label`` is shown."""

    label: str
    value: object
    column: str | None = None


class Redaction:
    """The names of sensitive columns: the usual ones, and ``columns`` of the application."""

    def __init__(self, columns: Iterable[str] = ()) -> None:
        self._columns = frozenset(column.lower() for column in columns)

    def is_sensitive(self, name: str) -> bool:
        """Whether a column or parameter of this name holds what must not be shown."""
        if name.lower() in self._columns:
            return True
        words = [word.lower() for word in _WORD.findall(name)]
        joined = "".join(words)
        return not _SENSITIVE_WORDS.isdisjoint(words) or any(part in joined for part in _SENSITIVE_PARTS)

    def mentions_sensitive(self, statement: str) -> bool:
        return any(self.is_sensitive(name) for name in set(_NAME.findall(statement)))

    def shown(self, statement: str, parameters: Iterable[Parameter]) -> dict[str, object]:
        """The parameters as they may be logged: JSON values by label."""
        guarded = self.mentions_sensitive(statement)
        return {parameter.label: self._shown(parameter, guarded) for parameter in parameters}

    def _shown(self, parameter: Parameter, guarded: bool) -> object:
        if self.is_sensitive(parameter.column or parameter.label):
            return REDACTED
        if parameter.column is None:
            if guarded:
                return REDACTED
            if not isinstance(parameter.value, (bool, int, float, type(None))):
                return HIDDEN
        return _json(parameter.value)


def _json(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return value if len(value) <= _LONGEST else value[:_LONGEST] + HIDDEN
        case datetime() | date() | time():
            return value.isoformat()
        case UUID() | Decimal() | timedelta():
            return str(value)
        case bytes() | bytearray() | memoryview():
            return f"<{len(value)} bytes>"
        case _:
            return f"<{type(value).__name__}>"  # a structure may hold anything
