"""The process in Prometheus' text format; pure: numbers in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

Sample = tuple[dict[str, str], float]


def metric(name: str, kind: str, help_text: str, samples: Iterable[Sample]) -> Iterator[str]:
    """One metric family: its HELP and TYPE lines and its samples."""
    yield f"# HELP {name} {help_text}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"{name}{{{inside}}} {value:g}" if inside else f"{name} {value:g}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def exposition(
    *,
    requests: dict[tuple[str, str], int],
    request_seconds: float,
    in_flight: int,
    sockets: dict[str, Any] | None,
    queries: dict[str, Any] | None,
    cache: dict[str, Any] | None,
) -> str:
    """All metrics; a part that is switched off says nothing."""
    families: list[Iterator[str]] = [
        metric(
            "steinmetz_http_requests_total",
            "counter",
            "Answered requests.",
            [({"method": method, "status": status}, count) for (method, status), count in requests.items()],
        ),
        metric("steinmetz_http_request_seconds_total", "counter", "Time spent on them.", [({}, request_seconds)]),
        metric("steinmetz_http_requests_in_flight", "gauge", "Requests being answered.", [({}, in_flight)]),
    ]
    if sockets is not None:
        families += [
            metric("steinmetz_sockets", "gauge", "Open sockets.", [({}, sockets["activeConnections"])]),
            metric(
                "steinmetz_events_emitted_total",
                "counter",
                "Emitted events.",
                [({"event": event}, count) for event, count in sockets["events"].items()],
            ),
        ]
    if queries is not None:
        families += [
            metric("steinmetz_queries_total", "counter", "Queries.", [({}, queries["totalQueries"])]),
            metric("steinmetz_slow_queries_total", "counter", "Slow queries.", [({}, queries["slowQueries"])]),
        ]
    if cache is not None:
        counted = [(key, value) for key, value in cache.items() if type(value) in (int, float)]
        families.append(
            metric(
                "steinmetz_cache",
                "gauge",
                "Figures of the response cache.",
                [({"figure": key}, value) for key, value in counted],
            )
        )
    return "\n".join(line for family in families for line in family) + "\n"
