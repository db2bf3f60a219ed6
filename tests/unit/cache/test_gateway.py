"""Whatever an application says and whoever asks: nobody is given what was for another, or what has ended."""

from __future__ import annotations

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.cache import CacheConfig, Gateway
from steinmetz.cache.asgi.protocol import Message, Receive, Scope, Send
from steinmetz.clock import FakeClock

USERS = (b"ann", b"bob")
DIRECTIVES = (b"max-age=10", b"s-maxage=10", b"public", b"private", b"no-store", b"no-cache", b"must-revalidate")
# What opens an answer for somebody to others (RFC 9111, 3.5).
OPENS = (b"s-maxage=10", b"public", b"must-revalidate")
FORBIDS = (b"private", b"no-store")

said = st.lists(st.sampled_from(DIRECTIVES), max_size=4, unique=True)
steps = st.lists(
    st.tuples(
        st.sampled_from(("GET", "GET", "GET", "HEAD", "PUT")),
        st.sampled_from((None, *USERS)),
        said,
        st.booleans(),
        st.sampled_from((0, 1, 11)),
    ),
    max_size=25,
)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(steps)
def test_nobody_is_given_what_was_for_another_nor_what_a_write_or_the_clock_has_ended(
    told: list[tuple[str, bytes | None, list[bytes], bool, int]],
) -> None:
    anyio.run(_converse, told)


async def _converse(told: list[tuple[str, bytes | None, list[bytes], bool, int]]) -> None:
    """Each body names the step that made it; the verdict on a hit is read from that step."""
    clock = FakeClock()
    gateway = Gateway(CacheConfig(budget_bytes=100_000), clock=clock)
    made_at: dict[int, float] = {}
    last_write, number = -1, 0

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        _, _, control, sets_cookie, _ = told[number]
        headers = [(b"cache-control", b", ".join(control))] if control else []
        if sets_cookie:
            headers.append((b"set-cookie", b"a=b"))
        made_at[number] = clock.monotonic_s()
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"%d" % number})

    app = gateway.wrap(application)
    for number, (method, user, _, _, pause_s) in enumerate(told):
        messages: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message, into: list[Message] = messages) -> None:
            into.append(message)

        headers = [(b"host", b"a.test")] + ([] if user is None else [(b"authorization", user)])
        scope = {"type": "http", "method": method, "path": "/a", "raw_path": b"/a", "headers": headers}
        await app(scope, receive, send)
        if method == "PUT":
            last_write = number
        body = b"".join(message.get("body", b"") for message in messages)
        if method == "GET" and (source := int(body)) != number:
            _, whose, control, set_cookie, _ = told[source]
            assert not set_cookie
            assert not any(word in control for word in FORBIDS)
            assert whose is None or any(word in control for word in OPENS)
            assert b"no-cache" not in control
            assert source > last_write
            assert clock.monotonic_s() - made_at[source] < 10
        clock.advance(pause_s)
    await gateway.aclose()
