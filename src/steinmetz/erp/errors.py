"""What the ERP says when it refuses: RFC 9457 problem documents, each with a way out.

    Problem
    ├── BadRequest           400  the request cannot be understood
    ├── Unauthenticated      401  nobody is signed in; says how to sign in
    ├── Forbidden            403  names the role that is needed
    ├── NotFound             404  no such record, or none that the caller may see
    ├── Conflict             409  somebody was faster; carries the current record
    ├── Unprocessable        422  understood, but it makes no sense; names the field
    ├── TooManyRequests      429  carries Retry-After
    └── Unavailable          503  a backend is down or busy; carries Retry-After
        └── UnderMaintenance 503  writing is switched off; carries the message and the announced end

Whatever else is raised becomes a 500 that tells the caller nothing but the request id under which it was logged.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException

from steinmetz.erp.kit.roles import Role
from steinmetz.realtime import EventError, Flaw

log = structlog.get_logger("steinmetz.erp")

PROBLEM_JSON = "application/problem+json"
HOW_TO_SIGN_IN = "Sign in with POST /api/auth/login and send the access token as 'Authorization: Bearer <token>'."

RETRIED_SQLSTATES = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL: serialization failure, deadlock, lock not available. The same request may well succeed again."""
OUTAGE_CLASSES = frozenset({"08", "53", "57"})
"""PostgreSQL: connection exception, insufficient resources, operator intervention (a server stops or starts)."""


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """A refusal that is told to the caller in full. ``extra`` are further members of the document, camelCase."""

    def __init__(
        self, status: int, title: str, detail: str, *, headers: Mapping[str, str] | None = None, **extra: Any
    ) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = extra


class BadRequest(Problem):
    """The request cannot be understood."""

    def __init__(self, detail: str) -> None:
        super().__init__(400, "Bad request", detail)


class Unauthenticated(Problem):
    """Nobody is signed in. ``reason`` says what was wrong with the credential, e.g. ``Token expired``."""

    def __init__(self, reason: str = "Authentication required", *, how: str = HOW_TO_SIGN_IN) -> None:
        challenge = 'Bearer realm="SteinmetZ"'
        if reason != "Authentication required":
            challenge += f', error="invalid_token", error_description="{reason}"'
        super().__init__(401, reason, f"{reason}. {how}", headers={"WWW-Authenticate": challenge})


class Forbidden(Problem):
    """The caller's role does not include ``needed``."""

    def __init__(self, needed: Role, detail: str | None = None) -> None:
        super().__init__(
            403, "Not allowed", detail or f"This needs the role {needed.value}.", neededRole=needed.value
        )


class NotFound(Problem):
    """There is no such record, or none that the caller may see."""

    def __init__(self, what: str, id: object) -> None:  # noqa: A002 - the word everybody uses
        super().__init__(404, f"No such {what}", f"There is no {what} {id!s}.")


class Conflict(Problem):
    """The record has changed meanwhile, or its state does not allow the step; ``current`` is how it stands."""

    def __init__(self, detail: str, current: dict[str, Any] | None = None) -> None:
        super().__init__(409, "Conflict", detail, current=current)


class Unprocessable(Problem):
    """Understood, but it makes no sense; ``field`` is the offending one as the caller spells it."""

    def __init__(self, detail: str, field: str | None = None) -> None:
        errors = [{"field": field or "", "message": detail}]
        super().__init__(422, "Invalid input", detail, errors=errors)


class TooManyRequests(Problem):
    """Refused for ``retry_after_s`` seconds."""

    def __init__(self, retry_after_s: float, detail: str | None = None) -> None:
        wait_s = max(1, math.ceil(retry_after_s))
        super().__init__(
            429,
            "Too many requests",
            detail or f"Too many requests. Try again in {wait_s} s.",
            headers={"Retry-After": str(wait_s)},
        )


class Unavailable(Problem):
    """A backend is down or busy; the same request may succeed in ``retry_after_s`` seconds."""

    def __init__(
        self, retry_after_s: float = 1, detail: str = "The database is not available at the moment."
    ) -> None:
        wait_s = max(1, math.ceil(retry_after_s))
        super().__init__(
            503, "Unavailable", f"{detail} Try again in {wait_s} s.", headers={"Retry-After": str(wait_s)}
        )


MAINTENANCE_RETRY_S = 60
"""After so many seconds it is worth asking again whether a maintenance without an announced end is over."""


class UnderMaintenance(Unavailable):
    """Reading goes on, writing is refused; ``until`` is the announced end, ``now`` the instant of the refusal."""

    def __init__(self, message: str, until: datetime | None, now: datetime) -> None:
        left_s = math.ceil((until - now).total_seconds()) if until is not None else 0
        wait_s = left_s if left_s > 0 else MAINTENANCE_RETRY_S
        told = until.isoformat().replace("+00:00", "Z") if until is not None else None
        end = f" until {told}" if told is not None else ""
        Problem.__init__(
            self,
            503,
            "Under maintenance",
            f"{message or 'SteinmetZ is being maintained'}: reading goes on, changes are refused{end}.",
            headers={"Retry-After": str(wait_s)},
            maintenance={"message": message, "until": told},
        )


def document(problem: Problem, *, instance: str, request_id: str) -> dict[str, Any]:
    """The problem document: ``type, title, status, detail, instance, requestId`` and ``success: false``."""
    kind = HTTPStatus(problem.status).phrase.lower().replace(" ", "-")
    return {
        "success": False,
        "type": f"urn:steinmetz:problem:{kind}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "instance": instance,
        "requestId": request_id,
        **problem.extra,
    }


def refusal(status: int, detail: str) -> tuple[str, bytes]:
    """Media type and document for what is refused before it is a request: it has no path and no request id."""
    problem = Problem(status, HTTPStatus(status).phrase, detail)
    return PROBLEM_JSON, to_json(document(problem, instance="", request_id=""))


def problem_response(problem: Problem, request: Request) -> Response:
    """``problem`` as the answer to ``request``; no cache may keep it."""
    body = document(problem, instance=request.url.path, request_id=request.scope.get("steinmetz.request_id", ""))
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(to_json(body), problem.status, headers, media_type=PROBLEM_JSON)


def problem_of(error: Exception) -> Problem:
    """The problem that an exception of a library stands for; a 500 when it stands for none."""
    match error:
        case Problem():
            return error
        case StaleDataError():
            return Conflict(
                "The record was changed by somebody else meanwhile. Read it again and repeat the change."
            )
        case IntegrityError():
            return Conflict("The change contradicts another record, e.g. a value that must be unique is taken.")
        case OperationalError() | InterfaceError() | PoolTimeoutError() | ConnectionError():
            return Unavailable(detail="The database is busy or not reachable.")
        case DBAPIError() if _sqlstate(error) in RETRIED_SQLSTATES:
            return Unavailable(detail="Another change was in the way.")
        case DBAPIError() if error.connection_invalidated or _sqlstate(error)[:2] in OUTAGE_CLASSES:
            return Unavailable(detail="The database is busy or not reachable.")
        case _:
            return Problem(
                500, "Internal error", "Something went wrong on our side. It was logged under the request id."
            )


EVENT_CODES = {
    400: "invalid",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    422: "invalid",
    429: "too_many_requests",
    503: "unavailable",
}
"""What a socket's acknowledgement calls a problem of this status."""


def event_error(error: Exception) -> EventError | None:
    """What an event handler's exception tells the client; None for what nobody foresaw, which is logged."""
    problem = problem_of(error)
    code = "maintenance" if isinstance(problem, UnderMaintenance) else EVENT_CODES.get(problem.status)
    if code is None:
        return None
    fields = [Flaw(error["field"], error["message"]) for error in problem.extra.get("errors", ())]
    wait_s = problem.headers.get("Retry-After")
    return EventError(code, problem.detail, fields=fields, retry_after_s=None if wait_s is None else float(wait_s))


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _reason(error: Exception) -> str:
    """The first line of what the driver said; values bound to the statement stand in later ones or nowhere."""
    said = str(getattr(error, "orig", None) or error)
    return said.partition("\n")[0][:200]


def invalid_input(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """The 422 for pydantic's findings; the values themselves are not repeated."""
    found = [
        {
            "field": ".".join(str(step) for step in error["loc"][1:]) or str(error["loc"][0]),
            "message": error["msg"],
        }
        for error in errors[:50]
    ]
    first = found[0]
    return Problem(422, "Invalid input", f"{first['field']}: {first['message']}", errors=found)


def _is_other_than_json(request: Request, error: RequestValidationError) -> bool:
    """Whether the body could not be read because it is not announced as JSON."""
    found = error.errors()[0]
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    announces_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
    return found["loc"] == ("body",) and found["type"] != "missing" and not announces_json


def _allowed_methods(request: Request) -> list[str]:
    """All methods of the first path that fits; Starlette has a route for each, and names the first one's only."""
    methods: set[str] = set()
    template = None
    for route in served_routes(request.app.routes):
        if template is None and route.path_regex.fullmatch(request.url.path):
            template = route.path_format
        if route.path_format == template:
            methods |= route.methods
    return sorted(methods | {"HEAD"}) if "GET" in methods else sorted(methods)


def served_routes(routes: Iterable[Any]) -> Iterator[Any]:
    """FastAPI's own routes. It keeps an included router as one that unfolds itself into its effective ones."""
    for route in routes:
        if (unfold := getattr(route, "effective_route_contexts", None)) is not None:
            yield from served_routes(unfold())
        elif isinstance(getattr(route, "dependant", None), Dependant):
            yield route


def log_unexpected(error: BaseException, request_id: str, method: str, path: str) -> None:
    """Log what nobody foresaw, with its trace but without the values bound to its statement."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, StatementError):
            link.hide_parameters = True
        link = link.__cause__ or link.__context__
    log.error("Unexpected error", request_id=request_id, method=method, path=path, exc_info=error)


def install_problem_handlers(app: FastAPI) -> None:
    """Let every error of ``app`` become a problem document."""

    async def on_validation_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        if _is_other_than_json(request, error):
            detail = "The body is read as JSON only: send it with Content-Type: application/json."
            return problem_response(Problem(415, "Unsupported Media Type", detail), request)
        return problem_response(invalid_input(error.errors()), request)

    async def on_http_exception(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if isinstance(problem := getattr(error, "problem", None), Problem):
            return problem_response(problem, request)
        phrase = HTTPStatus(error.status_code).phrase
        detail, headers = str(error.detail), dict(error.headers or {})
        if error.status_code == 404:
            detail = f"There is nothing at {request.url.path}. /docs lists what there is."
        elif error.status_code == 405:
            allowed = ", ".join(_allowed_methods(request)) or headers.get("Allow", "")
            headers = {"Allow": allowed}
            detail = f"{request.method} is not allowed at {request.url.path}; allowed: {allowed}."
        return problem_response(Problem(error.status_code, phrase, detail, headers=headers), request)

    async def on_error(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        request_id = request.scope.get("steinmetz.request_id", "")
        if problem.status == 500:
            log_unexpected(error, request_id, request.method, request.url.path)
            request.scope["steinmetz.logged"] = error
        elif problem.status > 500 and not isinstance(problem, UnderMaintenance):
            log.warning(
                "Request refused for want of a backend",
                request_id=request_id,
                path=request.url.path,
                error=type(error).__name__,
                reason=_reason(error),
            )
        return problem_response(problem, request)

    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    for kind in (Problem, StaleDataError, DBAPIError, PoolTimeoutError, ConnectionError):
        app.add_exception_handler(kind, on_error)
    # What only this one handles is raised once more by Starlette when it has been answered; the edge expects it.
    app.add_exception_handler(Exception, on_error)
