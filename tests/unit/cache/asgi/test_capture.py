from __future__ import annotations

from typing import Any

import pytest

from steinmetz.cache.asgi.capture import Capture

pytestmark = pytest.mark.anyio


class Client:
    def __init__(self, limit_bytes: int = 100) -> None:
        self.messages: list[Any] = []
        self.whole: list[bytes] = []
        self.ended: list[bytes | None] = []
        self.capture = Capture(
            self.send, limit_bytes, self.on_whole, lambda status, headers: headers, self.on_ended
        )

    async def send(self, message: Any) -> None:
        self.messages.append(message)

    def on_whole(self, status: int, headers: Any, body: bytes) -> tuple[int, Any, bytes]:
        self.whole.append(body)
        return status, headers, body

    def on_ended(self, status: int, headers: Any, body: bytes | None) -> None:
        self.ended.append(body)

    async def start(self, **more: Any) -> None:
        await self.capture({"type": "http.response.start", "status": 200, "headers": [], **more})

    async def body(self, body: bytes, *, more: bool = False) -> None:
        await self.capture({"type": "http.response.body", "body": body, "more_body": more})

    @property
    def kinds(self) -> list[str]:
        return [message["type"].removeprefix("http.response.") for message in self.messages]


async def test_a_start_is_held_until_something_follows() -> None:
    client = Client()
    await client.start()
    assert client.messages == []
    await client.body(b"x")
    assert client.kinds == ["start", "body"]
    assert client.whole == [b"x"]


async def test_a_start_without_a_body_is_let_go_at_the_end_and_only_once() -> None:
    client = Client()
    await client.start()
    await client.capture.flush()
    await client.capture.flush()
    assert client.kinds == ["start"]
    assert client.whole == client.ended == []


async def test_pieces_pass_one_by_one() -> None:
    client = Client()
    await client.start()
    await client.body(b"a", more=True)
    assert client.kinds == ["start", "body"]
    await client.body(b"b", more=True)
    await client.body(b"")
    assert client.ended == [b"ab"]
    assert client.capture.is_over


async def test_above_the_limit_the_copy_is_given_up() -> None:
    client = Client(limit_bytes=3)
    await client.start()
    await client.body(b"aa", more=True)
    await client.body(b"bb", more=True)
    await client.body(b"c")
    assert client.ended == [None]
    assert len(client.messages) == 4


async def test_trailers_make_an_answer_that_is_not_whole() -> None:
    client = Client()
    await client.start(trailers=True)
    await client.body(b"a")
    assert (client.whole, client.ended) == ([], [None])
    await client.capture({"type": "http.response.trailers", "headers": []})
    assert client.kinds == ["start", "body", "trailers"]


async def test_what_comes_before_the_start_passes() -> None:
    client = Client()
    await client.capture({"type": "http.response.push", "path": "/x", "headers": []})
    assert client.kinds == ["push"]


async def test_a_piece_as_long_as_the_header_says_is_the_whole_though_more_is_announced() -> None:
    client = Client()
    await client.capture({"type": "http.response.start", "status": 200, "headers": [(b"Content-Length", b"3")]})
    await client.body(b"abc", more=True)
    assert (client.kinds, client.whole, client.ended) == (["start", "body"], [b"abc"], [])
    assert not client.messages[-1].get("more_body")
    await client.body(b"")
    assert client.kinds == ["start", "body"]


async def test_a_piece_shorter_than_the_header_says_passes_as_a_stream() -> None:
    client = Client()
    await client.capture({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
    await client.body(b"abc", more=True)
    await client.body(b"def")
    assert (client.kinds, client.whole, client.ended) == (["start", "body", "body"], [], [b"abcdef"])
