"""The short way through the frames ends where the long one has more to say, and agrees with it until then."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.engineio.frames import FrameParser, Message, Opcode, unmask
from steinmetz.realtime.engineio.texts import plain_texts
from steinmetz.realtime.errors import FrameError

MAX_SIZE = 1_000


def frame(first: int, data: bytes, mask: bytes = b"\x37\xfa\x21\x3d") -> bytes:
    length = len(data)
    head = (
        bytes((first, 0x80 | length)) if length < 126 else bytes((first, 0x80 | 126)) + length.to_bytes(2, "big")
    )
    return head + mask + unmask(mask, data)


TEXT = frame(0x81, b"2probe")


def test_whole_texts_are_read_and_the_rest_is_left() -> None:
    long = "ä" * 150
    data = TEXT + frame(0x81, long.encode()) + frame(0x81, b"") + frame(0x82, b"\x00")
    texts, read = plain_texts(data, MAX_SIZE)
    assert texts == ["2probe", long, ""]
    assert data[read:] == frame(0x82, b"\x00")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(frame(0x01, b"begin"), id="a fragment"),
        pytest.param(frame(0x80, b"end"), id="the last fragment"),
        pytest.param(frame(0x89, b"ping"), id="a ping"),
        pytest.param(frame(0x88, b"\x03\xe8"), id="a close"),
        pytest.param(frame(0xC1, b"deflated"), id="a reserved bit"),
        pytest.param(b"\x81\x02hi" + b"....", id="not masked"),
        pytest.param(frame(0x81, b"\xff"), id="not UTF-8"),
        pytest.param(frame(0x81, b"x" * (MAX_SIZE + 1)), id="too big"),
        pytest.param(b"\x81\xfe\x00\x02" + b"\x00" * 6, id="a length longer than it need be"),
        pytest.param(b"\x81\xff" + (3).to_bytes(8, "big") + b"\x00" * 7, id="a length of eight bytes"),
        pytest.param(TEXT[:-1], id="incomplete"),
        pytest.param(TEXT[:5], id="only a head"),
    ],
)
def test_what_is_not_plain_is_the_parsers(other: bytes) -> None:
    assert plain_texts(TEXT + other, MAX_SIZE) == (["2probe"], len(TEXT))


frames = st.builds(
    frame,
    st.sampled_from([0x81, 0x81, 0x81, 0x82, 0x01, 0x80, 0x89, 0xC1]),
    st.one_of(st.text(max_size=300).map(str.encode), st.binary(max_size=150)),
    st.binary(min_size=4, max_size=4),
)


def heard(parser: FrameParser, data: bytes) -> list[Message] | int:
    try:
        return parser.feed(data)
    except FrameError as error:
        return error.close_code


def test_another_way_to_unmask_may_be_passed() -> None:
    assert plain_texts(TEXT, MAX_SIZE, lambda data, mask: b"x" * len(data)) == (["xxxxxx"], len(TEXT))


@given(st.lists(frames, max_size=6).map(b"".join), st.integers(0, 8))
@settings(max_examples=150, derandomize=True)
def test_both_ways_hear_the_same(data: bytes, cut: int) -> None:
    data = data[: len(data) - cut]
    whole = heard(FrameParser(MAX_SIZE), data)
    texts, read = plain_texts(data, MAX_SIZE)
    rest = heard(FrameParser(MAX_SIZE), data[read:]) if read < len(data) else []
    if isinstance(whole, int):
        assert rest == whole
    else:
        assert isinstance(rest, list)
        assert whole == [*(Message(Opcode.TEXT, text) for text in texts), *rest]
