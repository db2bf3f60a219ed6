"""What a route may ask for: who calls, and a unit of work that commits before the answer starts.

A generator dependency of FastAPI ends after the response was sent; only ``scope="function"`` ends before it
(trap T8). Were it otherwise, a caller could miss its own write, or be told of a success that then failed.

All of them are coroutines even where nothing is awaited: FastAPI sends plain functions to a thread.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from pydantic import AwareDatetime, BaseModel

from steinmetz.cache import Admitted
from steinmetz.erp.db import Unit
from steinmetz.erp.errors import Forbidden, Unauthenticated, Unprocessable
from steinmetz.erp.kit.fields import ISO_DAY, ISO_MOMENT
from steinmetz.erp.kit.roles import WRITES_AS, Actor, Role, may_read, may_write
from steinmetz.erp.openapi import needs_token, refuses
from steinmetz.erp.state import state_of
from steinmetz.sql.scope import ScopeKind, open_scope

MAX_PARAMETERS = 100
LISTS = (list, tuple, set, frozenset)
SPELLINGS = {
    int: (re.compile(r"-?[0-9]{1,20}"), "a whole number in digits"),
    bool: (re.compile("true|false"), "true or false"),
    dt.date: (ISO_DAY, "a day like 2026-03-02"),
    AwareDatetime: (ISO_MOMENT, "a moment like 2026-03-02T09:00:00Z"),
}
"""Type of a parameter -> how it is written, and how that is said."""


def request_id_of(request: Request) -> str:
    """The id under which this request appears in answers, audit and log."""
    return str(request.scope.get("steinmetz.request_id", ""))


@needs_token
async def current_actor(request: Request) -> Actor:
    """Who calls. The cache in front has usually proven it already; if not, it is proven here.

    Raises `Unauthenticated`.
    """
    identity = state_of(request).identity
    admission = request.scope.get("steinmetz.admission")
    if admission is None:
        credential = identity.credential(request.scope["headers"])
        if credential is None:
            raise Unauthenticated
        with open_scope(ScopeKind.ADMISSION, "sign-in"):
            admission = await identity.authenticate(credential)
    if not isinstance(admission, Admitted):
        raise Unauthenticated(admission.reason)
    actor = admission.principal.detail
    assert isinstance(actor, Actor)
    return actor


SignedIn = Annotated[Actor, Depends(current_actor)]


async def _reading(request: Request, actor: SignedIn) -> AsyncIterator[Unit]:
    # Whoever says how fresh it has to be is not given what is kept.
    recalls = "cache-control" not in request.headers
    async with state_of(request).database.unit(
        actor=actor, writes=False, request_id=request_id_of(request), recalls=recalls
    ) as unit:
        yield unit


@refuses(403)
async def _writing(request: Request, actor: SignedIn) -> AsyncIterator[Unit]:
    if not WRITES_AS[actor.role]:
        raise Forbidden(Role.CLERK, f"The role {actor.role.value} reads only; changing this needs the role clerk.")
    async with state_of(request).database.unit(
        actor=actor, writes=True, request_id=request_id_of(request)
    ) as unit:
        yield unit


Reading = Annotated[Unit, Depends(_reading, scope="function")]
"""A unit of work for GET: one snapshot, by a signed-in user."""
Writing = Annotated[Unit, Depends(_writing, scope="function")]
"""A unit of work that changes something; roles that write nothing are refused."""


def reads_as(needed: Role) -> Any:
    """For ``dependencies=[...]``: only roles that read what is open to ``needed``."""

    @refuses(403)
    async def require(actor: SignedIn) -> None:
        if not may_read(actor.role, needed):
            raise Forbidden(needed)

    return Depends(require)


def writes_as(needed: Role) -> Any:
    """For ``dependencies=[...]``: only roles that change what ``needed`` may change."""

    @refuses(403)
    async def require(actor: SignedIn) -> None:
        if not may_write(actor.role, needed):
            raise Forbidden(needed)

    return Depends(require)


async def known_parameters(request: Request) -> None:
    """For the whole application: a parameter is known, given once, and spelled as the document says.

    An unknown one is an error, not ignored; and pydantic alone would read ``1_0``, ``on`` or ``0`` where a number,
    a truth value or a day is asked for.
    """
    dependant = getattr(request.scope["route"], "dependant", None)
    if not isinstance(dependant, Dependant):
        return
    for name, value in request.path_params.items():
        _check_spelling(name, str(value), _path_parameters(dependant).get(name))
    if not request.scope["query_string"]:
        return
    if request.scope["query_string"].count(b"&") >= MAX_PARAMETERS:
        raise Unprocessable(f"A request has at most {MAX_PARAMETERS} query parameters.")
    known = _query_parameters(dependant)
    seen: set[str] = set()
    for name, value in request.query_params.multi_items():
        if name not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise Unprocessable(f"Unknown query parameter. Known here: {listed}.", name[:100])
        if name in seen and not _is_list(known[name]):
            raise Unprocessable("Give this parameter once.", name)
        seen.add(name)
        _check_spelling(name, value, known[name])


def _path_parameters(dependant: Dependant) -> dict[str, Any]:
    """The types of a route's path parameters by name."""
    found = {field.alias: field.field_info.annotation for field in dependant.path_params}
    for below in dependant.dependencies:
        found |= _path_parameters(below)
    return found


def _query_parameters(dependant: Dependant) -> dict[str, Any]:
    """The types of a route's query parameters by name."""
    found: dict[str, Any] = {}
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            for name, inner in annotation.model_fields.items():
                found[inner.alias or name] = inner.annotation
        else:
            found[field.alias] = annotation
    for below in dependant.dependencies:
        found |= _query_parameters(below)
    return found


def _check_spelling(name: str, value: str, annotation: Any) -> None:
    """Raises `Unprocessable` for a value that only looks like one of its type."""
    for kind in _kinds(annotation):
        if kind in SPELLINGS:
            pattern, asked = SPELLINGS[kind]
            if pattern.fullmatch(value) is None:
                raise Unprocessable(f"{name}: give {asked}.", name)


def _kinds(annotation: Any) -> set[Any]:
    """The types that one value may have; none where there are several."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _kinds(inner[0])
    if origin in LISTS:
        return _kinds(inner[0]) if inner else set()
    if origin in {UnionType, Union}:
        several = [one for one in inner if one is not type(None)]
        return _kinds(several[0]) if len(several) == 1 else set()
    return {annotation} if isinstance(annotation, type) else set()


def _is_list(annotation: Any) -> bool:
    """Whether ``annotation`` is a list, or one that may be left out."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_list(get_args(annotation)[0])
    if origin in {UnionType, Union}:
        return any(_is_list(one) for one in get_args(annotation))
    return (origin or annotation) in LISTS
