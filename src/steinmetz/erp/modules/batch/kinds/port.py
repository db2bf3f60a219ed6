"""What a kind of job is: how it is planned into items, what is done for one of them, what file comes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from steinmetz.erp.db import Unit
from steinmetz.erp.kit.roles import Role
from steinmetz.erp.kit.schemas import Input

P = TypeVar("P", bound=Input)
Payload = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """The payload of each item, in their order, and what of the parameters is still needed then."""

    items: Sequence[dict[str, Any]]
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """The file of a job: ``head``, the texts that its items resulted in, ``tail``."""

    name: str
    media_type: str
    head: str = ""
    tail: str = ""


@dataclass(frozen=True, slots=True)
class Kind(Generic[P]):
    """``plan`` and ``run`` work within the unit that they are given, and leave committing to the worker.

    A `Problem` or a pydantic error of ``run`` is the item's; one of ``plan`` is the job's. ``needed`` is the role
    that such a job asks for. ``is_whole``: a file in which a piece is missing is worthless.
    """

    name: str
    parameters: type[P]
    needed: Callable[[P], Role]
    plan: Callable[[Unit, P], Awaitable[Plan]]
    run: Callable[[Unit, Payload, Payload], Awaitable[str]]
    """(unit, the job's parameters, the item's payload) -> its piece of the file."""
    document: Callable[[Payload], Document]
    is_whole: bool = False
