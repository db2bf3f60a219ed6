"""What two requests must share to share an answer: prefix, version, path, sorted query, then the variant.

Each part is escaped so that no client can make one part look like another.
"""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

PREFIX = "cache:"
MAX_KEY_BYTES = 4_096
_PATH_SAFE = "/:@!$&'()*+,;=~"


def canonical_query(query: bytes) -> bytes:
    """``query`` with its parameters sorted by decoded name; equal names keep their order, for order may matter.

    Sorting by the raw name would be wrong: ``a=1&%61=2`` and ``%61=2&a=1`` name one parameter in two orders.
    """
    if not query:
        return query
    pairs = [pair for pair in query.replace(b"#", b"%23").split(b"&") if pair]
    if len(pairs) > 1:
        pairs.sort(key=_decoded_name)
    return b"&".join(pairs)


def _decoded_name(pair: bytes) -> bytes:
    return unquote_to_bytes(pair.partition(b"=")[0].replace(b"+", b" "))


def answer_key(version: str, path: str, query: bytes, *, prefix: str = PREFIX) -> bytes:
    """The key of a route's answer: ``cache:<version>:<path>?<sorted query>``. HEAD shares the key of GET."""
    place = f"{prefix}{quote(version, safe='')}:{quote(path, safe=_PATH_SAFE)}".encode()
    canonical = canonical_query(query)
    return b"%b?%b" % (place, canonical) if canonical else place


def own_key(version: str, path: str, own: str, *, prefix: str = PREFIX) -> bytes:
    """The key where a route's own key function stands in place of the query."""
    return f"{prefix}{quote(version, safe='')}:{quote(path, safe=_PATH_SAFE)}?!{quote(own, safe='')}".encode()


def variant_key(key: bytes, variant: bytes) -> bytes:
    """``key`` for one variant; ``#`` can be in neither part."""
    return b"%b#%b" % (key, variant) if variant else key
