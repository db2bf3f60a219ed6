"""What of a statement's parameters may be shown.

A value is judged by the names of its column, never by guessing in the value: the column's own, its attribute's,
its table's and its type's. Where the column is not certain (a parameter of raw SQL, a column compared by way of a
function) nothing is shown. What is shown is text of at most 200 characters, or a number; a structure never is, for
it may hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from uuid import UUID

REDACTED = "[redacted]"
HIDDEN = "…"

_SENSITIVE_WORDS = frozenset(
    {"iban", "bic", "pin", "tan", "otp", "totp", "mfa", "ssn", "cvv", "cvc", "pwd", "jwt", "salt", "hash", "lohn"}
)
_SENSITIVE_PARTS = (
    "password", "passwort", "passwd", "passphrase", "secret", "token", "salary", "gehalt", "wage", "credential",
    "apikey", "privatekey", "authorization", "cookie", "creditcard", "cardnumber", "kontonummer", "accountnumber",
    "taxid", "steuernummer", "sozialversicherung", "socialsecurity", "encrypt", "cipher", "kennwort", "geheim",
    "signingkey", "sessionkey", "sessionid", "bearer", "verifier", "recoverycode", "mnemonic",
)  # fmt: skip
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NAME = re.compile(r"[^\W\d]\w*")
_LONGEST = 200
_PARAMETERS_SHOWN = 40
_STATEMENT_READ = 100_000
"""Characters; of a longer statement nobody can say quickly what it names."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One bound value; its representation does not show it.

    ``column`` is its column where that is certain, else None; ``label`` is shown. ``names`` are further names that
    tell what it holds, ``secret`` says that the model declares it as such, ``structured`` that it may hold
    anything, ``by_text`` that the column is known from text alone.
    """

    label: str
    value: object = field(repr=False)
    column: str | None = None
    names: frozenset[str] = frozenset()
    secret: bool = False
    structured: bool = False
    by_text: bool = False


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

    def mentions_sensitive(self, statement: str, names: Iterable[str] = ()) -> bool:
        """Whether a statement, or one of the further ``names`` of its columns, speaks of a sensitive column."""
        if len(statement) > _STATEMENT_READ:
            return True
        return any(self.is_sensitive(name) for name in {*_NAME.findall(statement), *names})

    def shown(
        self, statement: str, parameters: Iterable[Parameter], mentioned: Iterable[str] = (), secret: bool = False
    ) -> dict[str, object]:
        """The parameters as they may be logged: JSON values by label, at most 40 of them.

        ``mentioned`` are names of columns that the text of the statement does not show; ``secret`` says that one
        of them is declared as sensitive.
        """
        listed = list(parameters)
        guarded = secret or self.mentions_sensitive(statement, mentioned)
        shown = {parameter.label: self._shown(parameter, guarded) for parameter in listed[:_PARAMETERS_SHOWN]}
        if len(listed) > _PARAMETERS_SHOWN:
            shown[HIDDEN] = f"and {len(listed) - _PARAMETERS_SHOWN} more"
        return shown

    def _shown(self, parameter: Parameter, guarded: bool) -> object:
        names = (parameter.label, *parameter.names, *([parameter.column] if parameter.column is not None else ()))
        if parameter.secret or any(self.is_sensitive(name) for name in names):
            return REDACTED
        if parameter.column is None or parameter.by_text:
            if guarded:
                return REDACTED
            if parameter.column is None:
                return HIDDEN
        if parameter.structured:
            return f"<{type(parameter.value).__name__}>"
        if isinstance(parameter.value, str) and self._may_hold_anything(parameter.value):
            return f"<{len(parameter.value)} characters>"
        return _json(parameter.value)

    def _may_hold_anything(self, text: str) -> bool:
        """JSON, XML, an address with a password, or text that speaks of something sensitive: to be on the safe
        side, besides the judgement by names."""
        if text.lstrip()[:1] in {"{", "[", "<"} or "://" in text:
            return True
        return self.mentions_sensitive(text[:_STATEMENT_READ])


def _json(value: object) -> object:
    match value:
        case int() if value.bit_length() > 63:
            return str(value)
        case float() if not isfinite(value):
            return str(value)  # JSON has no such number
        case None | bool() | int() | float():
            return value
        case str():
            text = value if len(value) <= _LONGEST else value[:_LONGEST] + HIDDEN
            return text.encode(errors="replace").decode()
        case datetime() | date() | time():
            return value.isoformat()
        case UUID() | Decimal() | timedelta():
            return str(value)
        case bytes() | bytearray() | memoryview():
            return f"<{len(value)} bytes>"
        case _:
            return f"<{type(value).__name__}>"
