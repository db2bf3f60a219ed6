"""One answer as bytes for other processes: a JSON head of a known version, then the body.

    "SZ" version(1) | length of the head (4 bytes, big endian) | head | body

Nothing here trusts what comes back: another version, another release or another shape is None, that is a miss.
"""

from __future__ import annotations

from struct import Struct
from typing import Any

import orjson

from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.terms import Terms
from steinmetz.sql.told import NotToldError, heard_reads, told_reads

MAGIC = b"SZ\x02"
"""The last byte is the version of the head; another one is not read."""
MAX_BODY_BYTES = 512 * 1024
_LENGTH = Struct(">I")


def packed(entry: Entry, boot: bytes, now_s: float) -> bytes | None:
    """``entry`` as bytes for this life (``boot``) of the log; None if it is too long or cannot be told."""
    terms = entry.terms
    if len(entry.body) > MAX_BODY_BYTES or terms.no_cache or terms.withheld:
        return None
    try:
        head = orjson.dumps(
            {
                "boot": _text(boot),
                "key": _text(entry.key),
                "path": entry.path,
                "route": entry.route,
                "headers": [[_text(name), _text(value)] for name, value in entry.headers],
                "reads": told_reads(entry.read_set),
                "terms": [
                    terms.ttl_s,
                    [_text(name) for name in terms.vary],
                    terms.age_s + max(0.0, now_s - entry.stored_at_s),
                    terms.stale_while_revalidate_s,
                    terms.stale_if_error_s,
                    terms.must_revalidate,
                    terms.early,
                ],
                "lifeSeconds": life_s(entry, now_s),
                "status": entry.status,
                "compress": entry.is_compressible,
                "costNs": entry.cost_ns,
                "validUntil": entry.valid_until_s,
                "variant": _text(entry.variant),
                "vary": [[_text(name), None if value is None else _text(value)] for name, value in entry.vary],
            }
        )
    except (TypeError, NotToldError):
        return None
    return b"".join((MAGIC, _LENGTH.pack(len(head)), head, entry.body))


def life_s(entry: Entry, now_s: float) -> float:
    """How many seconds ``entry`` stays fresh."""
    return entry.expires_s - now_s


def unpacked(value: bytes, key: bytes, boot: bytes, *, left_s: float, sequence: int, now_s: float) -> Entry | None:
    """The answer under ``key`` in this life of the log, with ``left_s`` to live; None if it is none or another's.

    ``sequence`` is the local epoch from which on its reader answers for it.
    """
    if not value.startswith(MAGIC) or len(value) < len(MAGIC) + _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack_from(value, len(MAGIC))
    start = len(MAGIC) + _LENGTH.size
    try:
        head = orjson.loads(value[start : start + length])
        if head["key"].encode("latin-1") != key or head["boot"].encode("latin-1") != boot:
            return None
        ttl_s, vary, age_s, while_revalidate_s, if_error_s, must_revalidate, early = head["terms"]
        return Entry(
            key=key,
            path=_checked(head["path"], str),
            route=_checked(head["route"], str),
            headers=tuple((name.encode("latin-1"), line.encode("latin-1")) for name, line in head["headers"]),
            body=value[start + length :],
            read_set=heard_reads(head["reads"]),
            sequence=sequence,
            stored_at_s=now_s - max(0.0, head["lifeSeconds"] - left_s),
            terms=Terms(
                ttl_s=float(ttl_s),
                vary=tuple(name.encode("latin-1") for name in vary),
                age_s=float(age_s),
                stale_while_revalidate_s=float(while_revalidate_s),
                stale_if_error_s=float(if_error_s),
                must_revalidate=_checked(must_revalidate, bool),
                early=float(early),
            ),
            status=_checked(head["status"], int),
            compress=_checked(head["compress"], bool),
            cost_ns=_checked(head["costNs"], int),
            valid_until_s=None if head["validUntil"] is None else float(head["validUntil"]),
            variant=head["variant"].encode("latin-1"),
            vary=tuple(
                (name.encode("latin-1"), None if line is None else line.encode("latin-1"))
                for name, line in head["vary"]
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _text(value: bytes) -> str:
    return value.decode("latin-1")


def _checked(value: Any, kind: type[Any]) -> Any:
    if type(value) is not kind:
        raise TypeError(kind.__name__)
    return value
