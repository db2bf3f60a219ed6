"""What of a kept answer a request is sent."""

from __future__ import annotations

import pytest

from steinmetz.cache.policy.entry import Entry
from steinmetz.cache.policy.representation import represented
from steinmetz.cache.policy.terms import Terms
from steinmetz.sql.effects import ReadSet

NOW_S = 1_767_225_600.0


def kept(status: int = 200, body: bytes = b"0123456789", *more: tuple[bytes, bytes]) -> Entry:
    return Entry(
        key=b"k",
        path="/a",
        route="",
        headers=((b"etag", b'"1"'), (b"content-type", b"x"), (b"content-length", b"%d" % len(body)), *more),
        body=body,
        read_set=ReadSet(),
        sequence=0,
        stored_at_s=0,
        terms=Terms(60),
        status=status,
        as_is=True,
    )


def sent(entry: Entry, method: str = "GET", **fields: bytes) -> tuple[int, bytes, dict[bytes, bytes]]:
    asked = {name.replace("_", "-").encode(): value for name, value in fields.items()}
    found = represented(entry, list(entry.headers), method, asked, NOW_S)
    return found.status, found.body, dict(found.headers)


def test_all_of_it() -> None:
    assert sent(kept()) == (200, b"0123456789", dict(kept().headers))


def test_its_header_alone() -> None:
    assert sent(kept(), "HEAD", range=b"bytes=2-4") == (200, b"", dict(kept().headers))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_word_that_it_has_not_changed(method: str) -> None:
    assert sent(kept(), method, if_none_match=b'"1"', range=b"bytes=2-4") == (304, b"", {b"etag": b'"1"'})


def test_a_part() -> None:
    status, body, headers = sent(kept(), range=b"bytes=2-4")
    assert (status, body) == (206, b"234")
    assert headers[b"content-range"] == b"bytes 2-4/10"
    assert headers[b"content-length"] == b"3"
    assert headers[b"content-type"] == b"x"


def test_no_such_part() -> None:
    status, body, headers = sent(kept(), range=b"bytes=10-")
    assert (status, body) == (416, b"")
    assert headers == {b"etag": b'"1"', b"content-range": b"bytes */10", b"content-length": b"0"}


def test_a_part_of_a_part() -> None:
    part = kept(206, b"23456", (b"content-range", b"bytes 2-6/10"))
    assert sent(part, range=b"bytes=3-4")[:2] == (206, b"34")
    assert sent(part, range=b"bytes=2-6")[2][b"content-range"] == b"bytes 2-6/10"


@pytest.mark.parametrize("status", [301, 404, 500])
def test_an_error_or_a_redirection_is_sent_as_it_is(status: int) -> None:
    assert sent(kept(status), if_none_match=b'"1"', range=b"bytes=2-4")[:2] == (status, b"0123456789")


def test_a_range_that_may_not_be_cut_gives_the_whole() -> None:
    assert sent(kept(), range=b"bytes=2-4", if_range=b'"2"')[0] == 200
    assert sent(kept(), range=b"bytes=0-1,3-4")[0] == 200
    assert sent(kept(201), range=b"bytes=2-4")[0] == 201
