"""Whether a shared cache may store an answer, and on what terms (RFC 9111, 3): the gateway's `storable`.

Unlike a marked route, the answer alone says for how long: no freshness is invented.
"""

from __future__ import annotations

from dataclasses import dataclass

from steinmetz.cache.policy.control import Control, control_of
from steinmetz.cache.policy.freshness import (
    HEURISTICALLY_CACHEABLE,
    heuristic_lifetime_s,
    initial_age_s,
    stated_lifetime_s,
)
from steinmetz.cache.policy.headers import Headers, first_of, value_of, vary_names
from steinmetz.cache.policy.storable import Refusal
from steinmetz.cache.policy.terms import Terms

# The final status codes of RFC 9110, 15, whose meaning this cache knows, for must-understand.
UNDERSTOOD = frozenset(
    {
        *(200, 203, 204, 206, 300, 301, 302, 303, 307, 308),
        *(400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 426),
        *(500, 501, 502, 503, 504, 505),
    }
)


@dataclass(frozen=True, slots=True)
class Received:
    """An answer as it came from the origin.

    ``at_s`` is a POSIX timestamp, ``delay_s`` how long the origin took. ``authorized``: the request carried
    Authorization. ``personal``: it carried a Cookie, so what was only guessed of the answer is not shared.
    Not ``guessable``: only an explicit lifetime counts, and there must be one.
    """

    status: int
    headers: Headers
    at_s: float
    delay_s: float = 0.0
    authorized: bool = False
    personal: bool = False
    guessable: bool = True


def storable_as_shared(answer: Received) -> Terms | Refusal:
    """Whether ``answer`` to a GET may be stored, as far as its header can tell."""
    control = control_of(answer.headers)
    refusal = _refusal(answer, control)
    if refusal is not None:
        return refusal
    vary = vary_names(value_of(answer.headers, b"vary"))
    if vary is None:
        return Refusal.VARY_ANY
    ttl_s = stated_lifetime_s(control, answer.headers, answer.at_s)
    if ttl_s is None:
        if not answer.guessable or not (answer.status in HEURISTICALLY_CACHEABLE or "public" in control):
            return Refusal.NO_LIFE
        guessed_s = heuristic_lifetime_s(answer.status, control, answer.headers, answer.at_s)
        ttl_s = 0.0 if answer.personal else guessed_s
    terms = _terms(answer, control, ttl_s, vary)
    # What is not fresh even now is worth keeping only if it can be validated, or may be given stale.
    if terms.age_s >= ttl_s + max(terms.stale_while_revalidate_s, terms.stale_if_error_s) and not (
        first_of(answer.headers, b"etag") or first_of(answer.headers, b"last-modified")
    ):
        return Refusal.NO_LIFE
    return terms


def _refusal(answer: Received, control: Control) -> Refusal | None:
    if answer.status < 200 or answer.status == 304:
        return Refusal.STATUS
    if "must-understand" in control and answer.status not in UNDERSTOOD:
        return Refusal.STATUS
    if any(name.lower() == b"set-cookie" for name, _ in answer.headers):
        return Refusal.SET_COOKIE
    # "a cache that ... understands and conforms to the requirements of the status code ... MUST ignore the
    # no-store directive" beside must-understand (RFC 9111, 5.2.2.3).
    if "no-store" in control and "must-understand" not in control:
        return Refusal.NO_STORE
    if control.is_whole("private"):
        return Refusal.PRIVATE
    if answer.authorized and not any(name in control for name in ("public", "s-maxage", "must-revalidate")):
        return Refusal.AUTHORIZATION
    return None


def _terms(answer: Received, control: Control, ttl_s: float, vary: tuple[bytes, ...]) -> Terms:
    return Terms(
        ttl_s=ttl_s,
        vary=vary,
        age_s=initial_age_s(answer.headers, answer.at_s, answer.delay_s),
        stale_while_revalidate_s=float(control.seconds("stale-while-revalidate") or 0),
        stale_if_error_s=float(control.seconds("stale-if-error") or 0),
        # s-maxage "incorporates the semantics of the proxy-revalidate response directive" (RFC 9111, 5.2.2.10).
        must_revalidate=any(name in control for name in ("must-revalidate", "proxy-revalidate", "s-maxage"))
        or control.is_whole("no-cache"),
        no_cache=control.is_whole("no-cache"),
        withheld=control.fields("no-cache") | control.fields("private"),
    )
