"""What a request body may be: how long by its path, and how its JSON may look.

Python's parser takes more than JSON is: NaN and infinities, a name twice, half a surrogate pair, a thousand
levels. Each of them would be somebody's trouble later: a database that has no such number, an answer that cannot
be written. So they are refused here, once for every route.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NoReturn

from fastapi import HTTPException

from steinmetz.cache import Refused
from steinmetz.erp.errors import BadRequest, Problem, Unauthenticated, Unprocessable

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

DEFAULT_MAX_BYTES = 1_000_000
LIMITS: dict[str, int] = {
    "/api/auth": 20_000,
    "/api/functions/import": 5_000_000,
    "/api/batch/jobs": 5_000_000,
}
"""Path, with all below it -> bytes. What is above `DEFAULT_MAX_BYTES` raises the general limit there, what is
below it lowers it."""

MAX_BYTES_OF_STRANGERS = 20_000
"""Read of whoever has not signed in, at any path."""

FORM_LIMITS: Any = {"max_fields": 100, "max_files": 10, "max_part_size": DEFAULT_MAX_BYTES}
"""Of a multipart form; a file counts by the length of the whole body only."""

MAX_JSON_DEPTH = 32
MAX_JSON_DIGITS = 30
TOO_DEEP = f"The JSON is nested more than {MAX_JSON_DEPTH} levels deep."

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z)', re.DOTALL)
_NO_BRACKET = bytes(set(range(256)) - set(b"[]{}"))
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class BodyRefused(HTTPException):
    """FastAPI lets its own exception pass where any other would be told as a body that cannot be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.status, problem.detail)
        self.problem = problem


def too_large(limit: int) -> Problem:
    return Problem(413, "Content Too Large", f"A request body has at most {limit} bytes here.")


def max_bytes(path: str, general: int) -> int:
    """The longest body at ``path``, where ``general`` is the limit of all others."""
    for place, limit in LIMITS.items():
        if path == place or path.startswith(place + "/"):
            return max(general, limit) if limit > DEFAULT_MAX_BYTES else min(general, limit)
    return general


def flaw(body: bytes) -> str | None:
    """What is wrong with a JSON document that Python's own parser would take; None if nothing is.

    What is no JSON at all is left to that parser.
    """
    try:
        value = json.loads(
            body, object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_number, parse_int=_whole
        )
        if _SURROGATE.search(body):
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError:
        return None
    except RecursionError:
        return TOO_DEEP
    except UnicodeEncodeError:
        return "A text holds half a surrogate pair, which is no character."
    except UnicodeDecodeError:
        return "The JSON is not in UTF-8."
    except ValueError as error:
        return str(error)
    return TOO_DEEP if _is_deep(body) else None


def _is_deep(document: bytes) -> bool:
    """Each round takes the innermost pair of brackets away, all over the document at once."""
    brackets = _STRING.sub(b"", document).translate(None, _NO_BRACKET)
    for _ in range(MAX_JSON_DEPTH):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return bool(brackets)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("A name stands twice in one JSON object; only one of its values could count.")
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON.")


def _number(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("A number is larger than any that can be kept.")
    return number


def _whole(digits: str) -> int:
    if len(digits) > MAX_JSON_DIGITS:
        raise ValueError(f"A whole number has at most {MAX_JSON_DIGITS} digits.")
    return int(digits)


class BodyReader:
    """``receive`` of ``scope`` with these rules; ``size`` is what came so far. Its refusals are `BodyRefused`.

    FastAPI reads a body before it asks who sent it. So it is here that whoever has not signed in is told so,
    before much of his is read.
    """

    def __init__(self, scope: Scope, receive: Receive, limit: int, *, is_json: bool) -> None:
        self._scope = scope
        self._receive = receive
        self._limit = limit
        self._pieces: list[bytes] | None = [] if is_json else None
        self.size = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request":
            return message
        piece = message.get("body", b"")
        self.size += len(piece)
        if self.size > self._limit:
            raise BodyRefused(too_large(self._limit))
        if self.size > MAX_BYTES_OF_STRANGERS and (stranger := _stranger(self._scope)) is not None:
            raise BodyRefused(stranger)
        if self._pieces is not None:
            self._pieces.append(piece)
            if not message.get("more_body", False):
                found = flaw(b"".join(self._pieces))
                self._pieces = None
                if found is not None:
                    raise BodyRefused(Unprocessable(found))
        return message


def _stranger(scope: Scope) -> Unauthenticated | None:
    """The refusal of a caller who is known to be nobody; what could not be proven is the routes' to judge."""
    admission = scope.get("steinmetz.admission")
    if isinstance(admission, Refused):
        return Unauthenticated(admission.reason)
    is_anonymous = admission is None and all(name != b"authorization" for name, _ in scope["headers"])
    return Unauthenticated() if is_anonymous else None


def is_json(content_type: bytes) -> bool:
    """Whether a body of this type is read as JSON: ``application/json`` and ``application/*+json``."""
    kind = content_type.partition(b";")[0].strip().lower()
    return kind == b"application/json" or (kind.startswith(b"application/") and kind.endswith(b"+json"))


def announced_length(value: bytes) -> int:
    """The number in a Content-Length. Raises `BadRequest`."""
    if not value.isdigit() or len(value) > 18:
        raise BadRequest("Content-Length is not a number of bytes.")
    return int(value)
