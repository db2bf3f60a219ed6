"""What the reader takes for a plain request is one to httptools, too, and the same one."""

from __future__ import annotations

from typing import Any

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.cache.hits.heads import (
    MAX_FIELDS,
    MAX_SEGMENT_BYTES,
    HeadReader,
    lines_beside,
)

HOST = b"Host: erp.example\r\n"
LOOKED_AT = frozenset({b"authorization", b"accept-language"})


def get(*lines: bytes, target: bytes = b"/a") -> bytes:
    return b"GET %b HTTP/1.1\r\n%b%b\r\n" % (target, HOST, b"".join(line + b"\r\n" for line in lines))


class Parsed:
    """What httptools makes of bytes."""

    def __init__(self, data: bytes) -> None:
        self.url, self.headers, self.begun, self.complete = b"", list[tuple[bytes, bytes]](), 0, 0
        self.body = b""
        parser: Any = httptools.HttpRequestParser(self)
        parser.feed_data(data)
        self.method = parser.get_method().decode()

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete += 1


PIECES = st.sampled_from(
    [
        b"GET /a HTTP/1.1", b"HEAD /a?b=1 HTTP/1.1", b"GET //a HTTP/1.1", b"GET  /a HTTP/1.1", b"POST /a HTTP/1.1",
        b"GET /%61 HTTP/1.1", b"GET /a#b HTTP/1.1", b"GET http://a/b HTTP/1.1", b"GET /a HTTP/1.0",
        b"Host: a", b"host:a", b"X-A: 1", b"X-A:", b"X-A: \t1 2\t3", b"X-A: 1 ", b"X-A : 1", b" X-A: 1", b"X-A",
        b":1", b"Content-Length: 0", b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Connection: close",
        b"Connection: keep-alive", b"Upgrade: h2c", b"X-\xc3\xa4: 1", b"X-A: \xc3\xa4", b"X-A: \x01", b"", b"abc",
    ]
)  # fmt: skip
ENDS = st.sampled_from([b"\r\n"] * 9 + [b"\n", b"\r", b"\r\r\n", b""])
BEGINNINGS = st.sampled_from([get()[:-2], get(b"Authorization: Bearer a")[:-2], b"HEAD" + get()[3:-2], b""])
LINES = st.lists(st.tuples(PIECES, ENDS), max_size=5).map(lambda lines: b"".join(a + b for a, b in lines))


@settings(derandomize=True, max_examples=400, deadline=None)
@given(BEGINNINGS, LINES, st.sampled_from([b"\r\n", b"\r\n\r\n", b""]))
def test_whatever_is_read_httptools_reads_the_same(beginning: bytes, lines: bytes, end: bytes) -> None:
    data = beginning + lines + end
    reader = HeadReader(LOOKED_AT)
    for _ in range(2):  # the second time from memory
        head = reader.read(data)
        if head is None:
            continue
        parsed = Parsed(data)
        url = httptools.parse_url(parsed.url)
        assert (parsed.begun, parsed.complete, parsed.body) == (1, 1, b"")
        assert (head.method, head.headers) == (parsed.method, parsed.headers)
        assert (head.query, head.path.encode()) == (url.query or b"", url.path.replace(b"%61", b"a"))
        assert [name for name, _ in head.headers].count(b"host") == 1


@settings(derandomize=True, max_examples=300, deadline=None)
@given(BEGINNINGS, LINES)
def test_requests_of_one_gist_are_both_plain_or_neither_is(beginning: bytes, lines: bytes) -> None:
    reader = HeadReader(LOOKED_AT)
    good = get(b"Authorization: Bearer a")
    gist, _ = reader.gist(good)
    data = beginning + lines + b"\r\n"
    for _ in range(2):
        if reader.gist(b"X-A: 1\r\n" + data)[0] is not None:
            assert reader.read(b"X-A: 1\r\n" + data) is None
        found, _ = reader.gist(data)
        if found == gist:
            head = reader.read(data)
            assert head is not None
            assert (head.path, dict(head.headers)[b"authorization"]) == ("/a", b"Bearer a")


def test_the_gist_is_without_what_nobody_looks_at() -> None:
    reader = HeadReader(LOOKED_AT)
    first, is_familiar = reader.gist(get(b"X-Trace: 1", b"Authorization: Bearer a", b"DNT: 1"))
    assert not is_familiar
    assert reader.gist(get(b"X-Trace: 2", b"Authorization: Bearer a")) == (first, False)
    assert reader.gist(get(b"X-Trace: 1", b"Authorization: Bearer a")) == (first, True)
    assert reader.gist(get(b"X-Trace: 1", b"Authorization: Bearer b"))[0] != first
    assert reader.gist(get(b"X-Trace: 1", b"Authorization: Bearer a", target=b"/b"))[0] != first


@pytest.mark.parametrize(
    "segment",
    [
        b"X-Trace: 1\r\n" + get(),
        get(b"X-Trace: 1", b"", b"X-Trace: 1"),
        get() + b"X-Trace: 1\r\n",
        get() + b"X-Trace: 1\r\n\r\n",
        get() + get(),
        get()[:-2],
        get(b"Content-Length: 1"),
        get(b"Transfer-Encoding: chunked"),
        get(b"Connection: close"),
        get(b"Connection: upgrade"),
        get(b"Range: bytes=0-0"),
        get(b"Cache-Control: no-cache"),
        get(b"X : 1"),
        b"X" * MAX_SEGMENT_BYTES + get(),
        get(*[b"X: %d" % number for number in range(MAX_FIELDS)]),
    ],
)
def test_no_gist_of_a_plain_request_is_that_of_another_thing(segment: bytes) -> None:
    reader = HeadReader(LOOKED_AT)
    plain, _ = reader.gist(get(b"X-Trace: 1", b"Connection: keep-alive"))
    for _ in range(2):
        assert reader.gist(segment)[0] != plain
        assert reader.read(segment) is None


@pytest.mark.parametrize("hosts", [0, 2])
def test_there_is_one_host(hosts: int) -> None:
    assert HeadReader(None).read(b"GET /a HTTP/1.1\r\n" + HOST * hosts + b"\r\n") is None


@pytest.mark.parametrize("length", [10, 3_000])
def test_what_matters_stays_however_long_and_whatever_was_heard_before(length: int) -> None:
    reader = HeadReader(LOOKED_AT)
    first, second = (get(b"authorization: " + letter * length, b"DNT: 1") for letter in (b"a", b"b"))
    for _ in range(2):
        gists = [reader.gist(request)[0] for request in (first, second, get(b"DNT: 1"))]
        assert len(set(gists)) == 3
        assert None not in gists


def test_a_connection_that_stays_says_nothing_of_one_that_does_not() -> None:
    reader = HeadReader(LOOKED_AT)
    for _ in range(2):
        assert reader.gist(get(b"Connection: keep-alive"))[0] == reader.gist(get())[0]
        assert reader.gist(get(b"Connection: close"))[0] is None
        assert reader.gist(get(b"Connection: Keep-Alive, Upgrade"))[0] is None


def test_where_nobody_says_what_he_looks_at_everything_matters() -> None:
    reader = HeadReader(None)
    assert reader.gist(get(b"X-Trace: 1"))[0] != reader.gist(get(b"X-Trace: 2"))[0]


def test_ever_new_lines_do_not_fill_memory() -> None:
    reader = HeadReader(LOOKED_AT, remembered_lines=100)
    for number in range(3 * 100):
        assert reader.gist(get(b"X-Trace: %d" % number))[0] is not None
        assert reader.read(get(b"Authorization: %d" % number, target=b"/%d" % number)) is not None
    assert max(reader.remembered()) == 100


def test_beside_a_small_store_less_is_remembered_than_beside_a_large_one() -> None:
    assert [lines_beside(store) for store in (0, 12_000_000, 10**9)] == [512, 1_000, 4_096]
