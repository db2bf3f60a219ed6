"""The OpenAPI document: what FastAPI knows of the routes, and what every route of the house has in common.

Nobody writes down a route's refusals: they follow from what it depends on. A dependency says which statuses it may
answer with (`refuses`); a path with an id may lead nowhere (404), a write may come too late (409), a body may be
too long (413), and everybody may be too fast (429). Only what an endpoint refuses by itself it says itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi

from steinmetz.cache import Route, RouteTable
from steinmetz.erp.bodies import too_large
from steinmetz.erp.errors import (
    PROBLEM_JSON,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    Problem,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    Unprocessable,
    document,
    served_routes,
)
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.rates import EXEMPT

F = TypeVar("F", bound=Callable[..., Any])
Object = dict[str, Any]

REFUSES = "__steinmetz_refuses__"
NEEDS_TOKEN = "__steinmetz_needs_token__"

TAGS = {
    "auth": "Signing in and out. An access token lasts minutes, the refresh token in a cookie renews it.",
    "users": "Who may sign in, and with which role. For administrators.",
    "dashboard": "The company's figures, for the first page.",
    "finance": "Customers, invoices, credit notes and payments. Amounts are in whole cents.",
    "books": "Accounts, journal entries, posting lines and the reports made of them. For managers and auditors.",
    "hr": "Departments, employees, their hours and leave.",
    "chat": "Channels and what was said in them.",
    "notifications": "What the house has told its users.",
    "batch": "Jobs over many records, which run behind the request.",
    "catalog": "The tree of business functions. Ids are paths of slugs.",
    "operations": "How the process is: probes, release, figures for monitoring.",
    "diagnostics": "What the queries of this process did and how long they took. For administrators and auditors.",
    "cache": "What is kept in memory, and dropping it by hand.",
    "audit": "Who changed what. Written in the same commit as the change, and never changed.",
}

REFUSALS: dict[int, tuple[str, Problem]] = {
    400: ("The request cannot be understood.", BadRequest("Content-Length is not a number of bytes.")),
    401: ("Nobody is signed in, or not any more; it says how to sign in.", Unauthenticated("Token expired")),
    403: ("The caller's role does not include it; `neededRole` does.", Forbidden(Role.MANAGER)),
    404: ("No such record, or none that the caller may see.", NotFound("invoice", 4711)),
    409: (
        "Somebody was faster, or the record's state does not allow it; `current` is how it stands now.",
        Conflict("The invoice has changed meanwhile. Read it again.", {"id": 7, "version": 3}),
    ),
    413: ("The body is too long.", too_large(1_000_000)),
    415: (
        "The body is not announced as JSON.",
        Problem(415, "Unsupported Media Type", "The body is read as JSON only."),
    ),
    422: (
        "Understood, but it makes no sense; `errors` names the fields.",
        Unprocessable("amountCents: Input should be greater than or equal to 1", "amountCents"),
    ),
    429: ("Too many requests from this address or by this user.", TooManyRequests(2)),
    503: ("A backend is down or busy; the same request may succeed later.", Unavailable()),
}
WITHOUT_DATABASE = frozenset({"/healthz", "/version", "/metrics"})

_REQUEST_ID: Object = {"$ref": "#/components/headers/X-Request-Id"}
_HEADERS: Object = {
    "X-Request-Id": {
        "description": "Under which this request appears in log and audit; the caller's own if he sent one",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,40}$"},
    },
    "X-Cache": {
        "description": "Whether the answer was given from memory",
        "required": True,
        "schema": {"enum": ["HIT", "MISS", "STALE", "BYPASS"]},
    },
    "Cache-Status": {"description": "The same with its reason (RFC 9211)", "schema": {"type": "string"}},
    "ETag": {"description": "For If-None-Match", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Seconds after which the same request may succeed",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "How to sign in (RFC 6750)",
        "required": True,
        "schema": {"type": "string"},
    },
}
_OWN_HEADERS = {401: ["WWW-Authenticate"], 429: ["Retry-After"], 503: ["Retry-After"]}
_OF_KEPT = ("X-Cache", "Cache-Status", "ETag")

_PROBLEM: Object = {
    "title": "Problem",
    "description": "A refusal (RFC 9457). `detail` says what to do.",
    "type": "object",
    "required": ["success", "type", "title", "status", "detail", "instance", "requestId"],
    "properties": {
        "success": {"const": False},
        "type": {"type": "string", "pattern": "^urn:steinmetz:problem:"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "minLength": 1},
        "instance": {"type": "string", "description": "The path that was asked for"},
        "requestId": {"type": "string"},
        "neededRole": {"type": "string", "description": "With 403"},
        "current": {"description": "With 409: the record as it stands now"},
        "errors": {
            "description": "With 422: the fields as the caller spells them",
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}

_PARAMETERS = {
    "sort": "The field to sort by; `-` before it for the largest first",
    "from": "This moment or later",
    "to": "This moment or earlier",
}


def refuses(*statuses: int) -> Callable[[F], F]:
    """Mark a dependency or an endpoint: it may answer with ``statuses``, beyond what follows from its form."""

    def mark(function: F) -> F:
        setattr(function, REFUSES, (*getattr(function, REFUSES, ()), *statuses))
        return function

    return mark


def needs_token(function: F) -> F:
    """Mark a dependency: it lets pass who carries an access token, and refuses all others with 401."""
    setattr(function, NEEDS_TOKEN, True)
    return refuses(401)(function)


def describe(app: FastAPI) -> Object:
    """The whole document of ``app``."""
    openapi = get_openapi(
        title=app.title, version=app.version, summary=app.summary, description=app.description, routes=app.routes
    )
    dependants = {
        (method, route.path_format): route.dependant
        for route in served_routes(app.routes)
        for method in route.methods
    }
    kept = RouteTable.of(app)
    for path, item in openapi["paths"].items():
        for method, operation in item.items():
            dependant = dependants[method.upper(), path]
            _complete(operation, method.upper(), path, dependant, kept.match(method.upper(), path))
    used = {tag for item in openapi["paths"].values() for one in item.values() for tag in one.get("tags", ())}
    openapi["tags"] = [{"name": tag, "description": about} for tag, about in TAGS.items() if tag in used]
    openapi["tags"] += [{"name": tag} for tag in sorted(used - set(TAGS))]
    components = openapi.setdefault("components", {})
    components["securitySchemes"] = {
        "accessToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "`accessToken` of POST /api/auth/login",
        }
    }
    components["headers"] = _HEADERS
    components["responses"] = {_name(status): _refusal(status) for status in REFUSALS}
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    for theirs in ("HTTPValidationError", "ValidationError"):
        schemas.pop(theirs, None)
    return openapi


def install_openapi(app: FastAPI) -> None:
    """Let ``app`` describe itself so; the document is made once, when it is asked for first."""

    def openapi() -> Object:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(operation: Object, method: str, path: str, dependant: Dependant, route: Route) -> None:
    """What FastAPI does not know of an operation: its refusals, its headers, who may call it."""
    calls = list(_calls(dependant))
    statuses = {status for call in calls for status in getattr(call, REFUSES, ())} | {422}
    statuses |= {int(status) for status in operation["responses"] if status.isdigit() and int(status) >= 400}
    if "requestBody" in operation:
        statuses |= {400, 413, 415}
    if "{" in path:
        statuses.add(404)
    if any(hasattr(call, NEEDS_TOKEN) for call in calls):
        operation["security"] = [{"accessToken": []}]
        if method != "GET":
            statuses.add(409)
    if path not in EXEMPT:
        statuses.add(429)
    if path not in WITHOUT_DATABASE:
        statuses.add(503)
    is_kept = route.policy is not None
    successes = {
        status: one for status, one in operation["responses"].items() if not status.startswith(("4", "5"))
    }
    for answer in successes.values():
        answer["headers"] = {"X-Request-Id": _REQUEST_ID, **answer.get("headers", {})}
        if is_kept:
            answer["headers"] |= {name: {"$ref": f"#/components/headers/{name}"} for name in _OF_KEPT}
    if is_kept:
        successes["304"] = {"description": "Unchanged: If-None-Match names the answer that the caller has"}
    refusals = {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in sorted(statuses)}
    operation["responses"] = successes | refusals
    for parameter in operation.get("parameters", ()):
        _complete_parameter(parameter)


def _complete_parameter(parameter: Object) -> None:
    if "description" in parameter:
        return
    name: str = parameter["name"]
    what = name.removesuffix("_id").removesuffix("Id").replace("_", " ")
    if name.endswith(("_id", "Id")):
        parameter["description"] = f"The id of the {what}" if parameter["in"] == "path" else f"Only of this {what}"
    elif name in _PARAMETERS:
        parameter["description"] = _PARAMETERS[name]


def _calls(dependant: Dependant) -> Iterator[Any]:
    if dependant.call is not None:
        yield dependant.call
    for below in dependant.dependencies:
        yield from _calls(below)


def _name(status: int) -> str:
    return f"Problem{status}"


def _refusal(status: int) -> Object:
    about, problem = REFUSALS[status]
    example = document(problem, instance="/api/invoices/7", request_id="5f0c2a9e41d7b8036c1e")
    return {
        "description": about,
        "headers": {
            "X-Request-Id": _REQUEST_ID,
            **{name: {"$ref": f"#/components/headers/{name}"} for name in _OWN_HEADERS.get(status, ())},
        },
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}},
    }
