"""Which line of the application asked: found by walking the stack, across SQLAlchemy's greenlets.

On an async engine a statement runs on a greenlet of its own, whose frames end at ``greenlet_spawn``; the caller's
go on in the parent greenlet. Frames are skipped by the name of their module (`LIBRARIES` and what the user adds):
the application is whatever is left. Frameworks are named only if nothing else is on the stack, as with a lazy load
that a response model causes.

Cost: at most `FRAMES_WALKED` frames; whether a frame counts is remembered for each code object, so a typical walk
takes 3 to 8 µs. Nothing of the frames is kept but their code and line number.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FrameType
from typing import Any

from steinmetz.monitor.analysis.place import Place

_current_greenlet: Callable[[], Any] | None
try:
    from greenlet import getcurrent  # type: ignore[import-untyped]  # it has no stubs

    _current_greenlet = getcurrent
except ImportError:  # without it there is no async engine either
    _current_greenlet = None

LIBRARIES = (
    "sqlalchemy", "greenlet", "steinmetz.sql", "steinmetz.monitor", "steinmetz.tasks", "contextlib", "asyncio",
    "importlib", "concurrent", "threading", "functools", "aiosqlite", "asyncpg", "psycopg", "sqlite3", "sqlmodel",
)  # fmt: skip
"""Never named. A prefix covers a module and everything below it."""
FRAMEWORKS = (
    "steinmetz.cache", "steinmetz.live", "steinmetz.realtime", "fastapi", "starlette", "uvicorn", "anyio", "flask",
    "werkzeug", "jinja2", "pydantic", "marshmallow", "celery", "click", "typer", "runpy", "pytest", "_pytest",
    "pluggy",
)  # fmt: skip
"""Named only if no application is on the stack."""
FRAMES_WALKED = 250
DEPTH = 5
"""Application frames that make up a trail."""
CODES_REMEMBERED = 20_000

_LIBRARY, _FRAMEWORK, _APPLICATION = range(3)


class Code:
    """A code object and whether its frames count. It is itself only: equal code of two files is not the same."""

    __slots__ = ("code", "kind")

    def __init__(self, code: CodeType, kind: int) -> None:
        self.code = code
        self.kind = kind


Trail = tuple[tuple[Code, int], ...]
"""Code and line of the innermost application frames, innermost first."""


class CallSites:
    """Finds application frames; ``skip`` names further modules to be passed over, such as ``myapp.db``."""

    def __init__(self, skip: Iterable[str] = ()) -> None:
        self._skipped = _prefixes((*LIBRARIES, *skip))
        self._frameworks = _prefixes(FRAMEWORKS)
        self._codes: dict[int, Code] = {}  # by the identity of the code object, which is kept alive

    def trail(self, depth: int = DEPTH) -> Trail:
        """The innermost application frames of the caller, at most ``depth``; empty if there is none."""
        found: list[tuple[Code, int]] = []
        framework: tuple[Code, int] | None = None
        codes = self._codes
        for frame in _frames(sys._getframe(1)):
            code = codes.get(id(frame.f_code)) or self._code(frame)
            if code.kind == _APPLICATION:
                found.append((code, frame.f_lineno))
                if len(found) == depth:
                    break
            elif code.kind == _FRAMEWORK and framework is None:
                framework = (code, frame.f_lineno)
        if not found and framework is not None:
            found.append(framework)
        return tuple(found)

    def call_site(self) -> Place | None:
        """The innermost application line."""
        return next(iter(places(self.trail(1))), None)

    def _code(self, frame: FrameType) -> Code:
        name = f"{frame.f_globals.get('__name__', '')}."
        kind = _APPLICATION
        if name.startswith(self._skipped):
            kind = _LIBRARY
        elif name.startswith(self._frameworks):
            kind = _FRAMEWORK
        if len(self._codes) >= CODES_REMEMBERED:
            self._codes.clear()
        code = self._codes[id(frame.f_code)] = Code(frame.f_code, kind)
        return code


def _prefixes(modules: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{module}." for module in modules)


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    current: Any = None
    for _ in range(FRAMES_WALKED):
        while frame is None:
            if _current_greenlet is None:
                return
            current = (_current_greenlet() if current is None else current).parent
            if current is None:
                return
            frame = current.gr_frame
        yield frame
        frame = frame.f_back


def current_flush() -> weakref.ref[Any] | None:
    """The unit of work that is being flushed by the caller, if SQLAlchemy flushes; a slow path."""
    for frame in _frames(sys._getframe(1)):
        if frame.f_code.co_name == "_flush" and frame.f_globals.get("__name__") == "sqlalchemy.orm.session":
            flush = frame.f_locals.get("flush_context")
            return weakref.ref(flush) if flush is not None else None
    return None


def places(trail: Trail) -> list[Place]:
    """What people read of a trail: files relative to where they are imported from."""
    return [Place(_shown(one.code.co_filename), line, one.code.co_qualname) for one, line in trail]


def _shown(file: str) -> str:
    """``myapp/invoices.py``: no folder of this machine."""
    roots = [os.getcwd(), *(path for path in sys.path if path)]
    inside = [root for root in roots if file.startswith(root.rstrip(os.sep) + os.sep)]
    if inside:
        return file[len(max(inside, key=len).rstrip(os.sep)) + 1 :].replace(os.sep, "/")
    return file if not os.path.isabs(file) else os.path.basename(file)


_default = CallSites()
call_site: Callable[[], Place | None] = _default.call_site
"""The innermost application line of the caller, without modules to skip; see `CallSites.call_site`."""
