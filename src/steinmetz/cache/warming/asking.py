"""A GET from within the process for an answer that is wanted, in the name of one of those it is for."""

from __future__ import annotations

from collections.abc import Callable

from steinmetz.cache.asgi.admission import ADMISSION, Admitted, Principal
from steinmetz.cache.asgi.passing import INSTRUCTION, WARM
from steinmetz.cache.asgi.protocol import Scope
from steinmetz.cache.warming.wanted import Wanted

PrincipalOf = Callable[[str | None], Principal | None]
"""Role (None: any) -> who asks on its behalf; None if answers of that role are not to be asked for."""


def asking_for(one: Wanted, principal_of: PrincipalOf) -> Scope | None:
    """The request; None if nobody may ask on behalf of its role."""
    principal = principal_of(one.role)
    if principal is None and one.role is not None:
        return None
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": one.path,
        "raw_path": one.path.encode(),
        "root_path": "",
        "query_string": one.query.encode("ascii"),
        "headers": [
            (b"host", b"warming.invalid"),
            *((name.encode("latin-1"), value.encode("latin-1")) for name, value in one.headers),
        ],
        "client": None,
        "server": None,
        INSTRUCTION: WARM,
    }
    if principal is not None:
        scope[ADMISSION] = Admitted(principal)
    return scope
