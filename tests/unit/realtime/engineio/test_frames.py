"""RFC 6455 as the server sees it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steinmetz.realtime.engineio.frames import (
    MAX_TINY_FRAGMENTS,
    CloseCode,
    FrameParser,
    Message,
    Opcode,
    accept_key,
    close_frame,
    server_frame,
    unmask,
)
from steinmetz.realtime.errors import FrameError

MASK = b"\x37\xfa\x21\x3d"


def client_frame(opcode: int, data: bytes = b"", *, final: bool = True, reserved: int = 0) -> bytes:
    """A masked frame, as section 5.3 asks of clients."""
    first = (0x80 if final else 0) | reserved | opcode
    length = len(data)
    if length < 126:
        head = bytes((first, 0x80 | length))
    elif length < 1 << 16:
        head = bytes((first, 0x80 | 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((first, 0x80 | 127)) + length.to_bytes(8, "big")
    return head + MASK + unmask(MASK, data)


def refused(data: bytes, *, max_size: int = 1_000) -> int:
    with pytest.raises(FrameError) as error:
        FrameParser(max_size).feed(data)
    return error.value.close_code


class TestHandshake:
    def test_the_accept_key_of_section_1_3(self) -> None:
        assert accept_key(b"dGhlIHNhbXBsZSBub25jZQ==") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


class TestFramesOfTheServer:
    @pytest.mark.parametrize(
        ("length", "head"),
        [
            (0, b"\x81\x00"),
            (125, b"\x81\x7d"),
            (126, b"\x81\x7e\x00\x7e"),
            (65_535, b"\x81\x7e\xff\xff"),
            (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
        ],
    )
    def test_the_three_lengths_of_section_5_2(self, length: int, head: bytes) -> None:
        assert server_frame(Opcode.TEXT, b"x" * length) == head + b"x" * length

    def test_a_close_frame_never_exceeds_a_control_frame(self) -> None:
        assert len(close_frame(CloseCode.NORMAL, "ü" * 200)) == 2 + 125


class TestMessagesOfTheClient:
    def test_the_hello_of_section_5_7(self) -> None:
        frame = bytes.fromhex("818537fa213d7f9f4d5158")
        assert FrameParser(100).feed(frame) == [Message(Opcode.TEXT, "Hello")]

    @given(st.lists(st.text() | st.binary(), max_size=5), st.integers(1, 20), st.integers(1, 7))
    def test_messages_arrive_whole_however_they_are_cut(
        self, messages: list[str | bytes], read_size: int, fragment_size: int
    ) -> None:
        sent = b""
        for message in messages:
            data = message.encode() if isinstance(message, str) else message
            opcode: int = Opcode.TEXT if isinstance(message, str) else Opcode.BINARY
            pieces = [data[at : at + fragment_size] for at in range(0, len(data), fragment_size)] or [b""]
            for number, piece in enumerate(pieces):
                sent += client_frame(opcode if number == 0 else 0, piece, final=number == len(pieces) - 1)
        parser = FrameParser(10_000)
        got = [
            message.data
            for at in range(0, len(sent), read_size)
            for message in parser.feed(sent[at : at + read_size])
        ]
        assert got == messages

    def test_a_message_that_comes_byte_by_byte_is_copied_once(self) -> None:
        parser, size = FrameParser(1_000_000), 100_000
        sent = client_frame(Opcode.BINARY, b"x" * size)
        copied = 0
        for at in range(len(sent)):
            held = parser._buffer
            messages = parser.feed(sent[at : at + 1])
            copied += size if parser._buffer is not held else 0
        assert messages == [Message(Opcode.BINARY, b"x" * size)]
        assert copied <= 5 * size  # at each part of its head, and at the end

    def test_control_frames_may_come_between_fragments(self) -> None:
        got = FrameParser(100).feed(
            client_frame(Opcode.TEXT, b"He", final=False)
            + client_frame(Opcode.PING, b"?")
            + client_frame(Opcode.CONT, b"llo")
        )
        assert got == [Message(Opcode.PING, b"?"), Message(Opcode.TEXT, "Hello")]

    def test_a_long_message_with_a_64_bit_length(self) -> None:
        data = b"x" * 70_000
        assert FrameParser(100_000).feed(client_frame(Opcode.BINARY, data)) == [Message(Opcode.BINARY, data)]

    def test_characters_may_be_cut_between_fragments(self) -> None:
        data = "ä".encode()
        got = FrameParser(100).feed(
            client_frame(Opcode.TEXT, data[:1], final=False) + client_frame(Opcode.CONT, data[1:])
        )
        assert got == [Message(Opcode.TEXT, "ä")]

    @given(st.binary(max_size=300), st.booleans())
    def test_whatever_comes_is_messages_or_a_frame_error(self, data: bytes, inflates: bool) -> None:
        try:
            outcome: object = FrameParser(1_000, inflates=inflates).feed(data)
        except FrameError as error:
            outcome = CloseCode(error.close_code)
        assert isinstance(outcome, (list, CloseCode))


class TestWhatIsForbidden:
    def test_an_unmasked_frame(self) -> None:
        assert refused(server_frame(Opcode.TEXT, b"Hello")) == CloseCode.PROTOCOL_ERROR

    @pytest.mark.parametrize("reserved", [0x10, 0x20, 0x40])
    def test_reserved_bits_without_an_extension(self, reserved: int) -> None:
        assert refused(client_frame(Opcode.TEXT, b"x", reserved=reserved)) == CloseCode.PROTOCOL_ERROR

    @pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 0xB, 0xF])
    def test_unknown_opcodes(self, opcode: int) -> None:
        assert refused(client_frame(opcode)) == CloseCode.PROTOCOL_ERROR

    def test_a_control_frame_that_is_long_or_in_fragments(self) -> None:
        assert refused(client_frame(Opcode.PING, b"x" * 126)) == CloseCode.PROTOCOL_ERROR
        assert refused(client_frame(Opcode.PING, final=False)) == CloseCode.PROTOCOL_ERROR

    def test_a_continuation_of_nothing(self) -> None:
        assert refused(client_frame(Opcode.CONT, b"x")) == CloseCode.PROTOCOL_ERROR

    def test_a_message_inside_a_message(self) -> None:
        start = client_frame(Opcode.TEXT, b"x", final=False)
        assert refused(start + start) == CloseCode.PROTOCOL_ERROR

    def test_text_that_is_not_utf_8(self) -> None:
        assert refused(client_frame(Opcode.TEXT, b"\xff")) == CloseCode.INVALID_DATA

    def test_a_message_that_is_too_big_is_refused_by_its_head_alone(self) -> None:
        assert refused(client_frame(Opcode.BINARY, b"x" * 1_001)[:8]) == CloseCode.TOO_BIG
        assert refused(bytes((0x82, 0xFF)) + (1 << 62).to_bytes(8, "big")) == CloseCode.TOO_BIG

    def test_fragments_that_are_too_big_together(self) -> None:
        half = client_frame(Opcode.BINARY, b"x" * 600, final=False)
        assert refused(half + client_frame(Opcode.CONT, b"x" * 600)) == CloseCode.TOO_BIG

    @pytest.mark.parametrize(
        ("payload", "close_code"),
        [
            (b"a", CloseCode.PROTOCOL_ERROR),
            *(
                (code.to_bytes(2, "big"), CloseCode.PROTOCOL_ERROR)
                for code in (0, 999, 1004, 1005, 1006, 1015, 2999)
            ),
            ((5000).to_bytes(2, "big"), CloseCode.PROTOCOL_ERROR),
            ((1000).to_bytes(2, "big") + b"\xff", CloseCode.INVALID_DATA),
        ],
    )
    def test_a_close_frame_that_nobody_may_send(self, payload: bytes, close_code: CloseCode) -> None:
        assert refused(client_frame(Opcode.CLOSE, payload)) == close_code

    @pytest.mark.parametrize(
        "payload", [b"", (1000).to_bytes(2, "big"), (3000).to_bytes(2, "big") + "tschüß".encode()]
    )
    def test_but_an_empty_one_and_one_with_code_and_reason_may_be(self, payload: bytes) -> None:
        assert FrameParser(1_000).feed(client_frame(Opcode.CLOSE, payload)) == [Message(Opcode.CLOSE, payload)]

    def test_a_message_in_crumbs(self) -> None:
        """CVE-2026-48779: a message of very many tiny fragments."""
        crumbs = (
            client_frame(Opcode.TEXT, final=False) + client_frame(Opcode.CONT, final=False) * MAX_TINY_FRAGMENTS
        )
        assert refused(crumbs) == CloseCode.POLICY_VIOLATION
