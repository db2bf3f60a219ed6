"""One log for everything: JSON lines, or readable text on a terminal. No secret gets through.

``msg``, ``level`` and ``timestamp`` are in every line; what uvicorn and SQLAlchemy log through the standard
library takes the same way.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TextIO

import orjson
import structlog

from steinmetz.erp.traces import trace_of, write_trace

SECRET_WORDS = ("password", "passwd", "secret", "token", "authorization", "cookie", "api_key", "apikey")
HIDDEN = "…"

CURRENT_REQUEST: ContextVar[str | None] = ContextVar("steinmetz_current_request", default=None)
"""The id of the request that is being answered; tasks and threads that it starts inherit it."""


def hide_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the value of every key that names a secret, in nested mappings too."""
    for key, value in event.items():
        if any(word in str(key).lower() for word in SECRET_WORDS):
            event[key] = HIDDEN
        elif isinstance(value, dict):
            event[key] = hide_secrets(logger, method, dict(value))
    return event


def name_request(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Say which request a line belongs to, a slow query's too; nothing where there is none."""
    if "request_id" not in event and (current := CURRENT_REQUEST.get()) is not None:
        event["request_id"] = current
    return event


def keep_to_one_line(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape what is no printable character in every text, so that nobody writes lines of his own into the log,
    nor turns one around on the reader's screen."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = one_line(value)
    return event


def one_line(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def _json(value: Any, default: Any = None, **_: Any) -> str:
    try:
        return orjson.dumps(value, default=default or str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # half a surrogate pair within a list or mapping, which UTF-8 cannot say
        return json.dumps(value, default=default or str)


_JSON = structlog.processors.JSONRenderer(serializer=_json)


@dataclass(slots=True)
class _InForce:
    processors: list[structlog.typing.Processor]
    threshold: int
    stream: TextIO


_in_force: _InForce | None = None


def json_stream() -> TextIO | None:
    """Where a line of level ``info`` goes as JSON, as `configure_logging` said; None where it takes another way:
    readable text, another level, somebody else's configuration, a test that captures it."""
    said = _in_force
    if said is None or said.threshold > logging.INFO or not said.processors or said.processors[-1] is not _JSON:
        return None
    return said.stream if structlog.get_config()["processors"] is said.processors else None


def configure_logging(level: str, style: str) -> None:
    """Send all log lines of ``level`` and above to standard error; ``style`` as in `Settings.log_format`."""
    as_text = sys.stderr.isatty() if style == "auto" else style == "text"
    renderer: list[structlog.typing.Processor] = (
        # Their prettier tracebacks show local variables, and with them whatever is secret.
        [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=write_trace)]
        if as_text
        else [
            structlog.processors.ExceptionRenderer(trace_of),
            structlog.processors.EventRenamer("msg"),
            _JSON,
        ]
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
        name_request,
        keep_to_one_line,
    ]
    threshold = logging.getLevelNamesMapping()[level.upper()]
    global _in_force
    _in_force = _InForce([*shared, *renderer], threshold, sys.stderr)
    structlog.configure(
        processors=_in_force.processors,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        # Not cached: a module's logger must follow a later configuration, as that of the next test.
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(threshold)
    logging.getLogger("uvicorn.access").disabled = True  # the edge writes one line a request, hit or not
    for chatty in ("alembic", "aiosqlite", "sqlalchemy"):  # the debug lines of the last two hold parameters
        logging.getLogger(chatty).setLevel(max(threshold, logging.WARNING))
