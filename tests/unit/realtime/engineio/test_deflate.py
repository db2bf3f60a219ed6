"""permessage-deflate: what is agreed upon, and that no message grows beyond its bound."""

from __future__ import annotations

import tracemalloc
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.engineio.deflate import ACCEPTED, MAX_STREAMS, accepts, deflate, inflate
from steinmetz.realtime.errors import FrameError

ACCEPTABLE = [
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",  # what browsers and the stock client say
    "permessage-deflate;client_max_window_bits=15",
    'permessage-deflate; client_max_window_bits="10"',
    "permessage-deflate; server_no_context_takeover",
    "permessage-deflate; client_no_context_takeover; server_no_context_takeover; client_max_window_bits",
    "permessage-deflate; server_max_window_bits=15",
    "permessage-deflate; server_max_window_bits=10, permessage-deflate",  # the second is a fallback
    "permessage-deflate; mux=1, permessage-deflate; client_max_window_bits",
    "x-webkit-deflate-frame, permessage-deflate",
    "  permessage-deflate  ;  client_max_window_bits  =  9  ",
    "PerMessage-Deflate",
]
NOT_ACCEPTABLE = [
    "",
    ",",
    "x-webkit-deflate-frame",
    "permessage-deflate2",
    "permessage-deflate; unknown",
    "permessage-deflate; server_max_window_bits=10",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; server_max_window_bits=16",
    "permessage-deflate; client_max_window_bits=7",
    "permessage-deflate; client_max_window_bits=16",
    "permessage-deflate; client_max_window_bits=08",
    "permessage-deflate; client_max_window_bits=x",
    "permessage-deflate; client_max_window_bits; client_max_window_bits",
    "permessage-deflate; server_no_context_takeover=1",
    "permessage-deflate; client_no_context_takeover=true",
    "permessage-deflate; ; client_max_window_bits",
    "permessage-deflate client_max_window_bits",
    "permessage-deflate;" + " " * 2_000,
    "permessage-deflate" * 100,
]


@pytest.mark.parametrize("offer", ACCEPTABLE)
def test_an_offer_that_is_accepted(offer: str) -> None:
    assert accepts(offer)


@pytest.mark.parametrize("offer", NOT_ACCEPTABLE)
def test_an_offer_that_is_declined(offer: str) -> None:
    assert not accepts(offer)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.text(alphabet='permsag-dflt;,= "0915_xcw\t', max_size=80))
def test_whatever_is_offered_is_accepted_or_declined(offer: str) -> None:
    assert accepts(offer) in (True, False)


def test_neither_side_keeps_a_window() -> None:
    assert ACCEPTED == b"permessage-deflate; server_no_context_takeover; client_no_context_takeover"


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.binary(max_size=2_000))
def test_a_message_survives(data: bytes) -> None:
    small = deflate(data)
    assert inflate(small, len(data)) == data
    assert not small.endswith(b"\x00\x00\xff\xff")


def test_its_bytes_are_what_zlib_makes_of_them() -> None:
    assert zlib.decompress(deflate(b"Hello" * 50) + b"\x00\x00\xff\xff\x03\x00", -15) == b"Hello" * 50


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_whatever_comes_is_a_message_or_a_frame_error(data: bytes) -> None:
    try:
        outcome = len(inflate(data, 500))
    except FrameError as error:
        outcome = error.close_code
    assert outcome <= 500 or outcome in (1007, 1009)


def test_a_bomb_is_never_inflated_beyond_the_bound() -> None:
    bomb = deflate(b"\x00" * 50_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(FrameError) as error:
            inflate(bomb, 100_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.value.close_code == 1009
    assert peak < 1_000_000


def test_many_small_streams_in_one_message_count_together() -> None:
    def stream(data: bytes) -> bytes:
        compressor = zlib.compressobj(wbits=-15)
        return compressor.compress(data) + compressor.flush()

    assert inflate(stream(b"ab") * 50, 100) == b"ab" * 50
    with pytest.raises(FrameError) as error:
        inflate(stream(b"ab") * 51, 100)
    assert error.value.close_code == 1009


def test_a_message_of_very_many_ends_is_refused() -> None:
    """RFC 7692 7.2.3.5 lets each message hold several streams; an empty one takes two bytes."""
    end = b"\x03\x00"
    assert inflate(end * MAX_STREAMS, 100) == b""
    with pytest.raises(FrameError, match="too many ends") as refused:
        inflate(end * 100_000, 100)
    assert refused.value.close_code == 1008
