"""How much JSON a message holds."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.errors import SocketIOError
from steinmetz.realtime.socketio.parser import Decoder, plain_event
from steinmetz.realtime.socketio.weight import MAX_PARTS, has_too_many_parts


@pytest.mark.parametrize(
    ("message", "parts"),
    [
        ("", 0),
        ("[]", 1),
        ('["a"]', 2),
        ('["a","b"]', 4),
        ('{"a":[1,2,{}]}', 6),
        ('["1,2,[{"]', 2),
        ('["\\",[[["]', 2),
        ('["\\\\",[]]', 4),
        ('["no end,,,,,', 1),
    ],
)
def test_parts_are_strings_commas_and_opening_brackets(message: str, parts: int) -> None:
    assert not has_too_many_parts(message, parts)
    if parts:
        assert has_too_many_parts(message, parts - 1)


@pytest.mark.parametrize("part", ["{}", "[]", '""', '{"a":1}', "1", "null", '"\\ud83d"', "1.5"])
def test_a_message_of_very_many_values_is_refused(part: str) -> None:
    with pytest.raises(SocketIOError, match="at most 100000 parts"):
        Decoder(1_000_000).feed(f'2["wide",{",".join([part] * MAX_PARTS)}]')


def test_a_long_text_is_one_part_whatever_it_says() -> None:
    text = 'a,"b",[{\\\n' * 80_000
    packet = Decoder(1_000_000).feed("2" + json.dumps(["text", text]))
    assert packet is not None
    assert packet.data == ["text", text]


JSON = st.recursive(
    st.none() | st.integers() | st.text(alphabet='a,[{"\\', max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=60)
@given(JSON)
def test_the_count_is_exact(data: object) -> None:
    def parts(value: object) -> int:
        match value:
            case str():
                return 1
            case list():
                return 1 + max(len(value) - 1, 0) + sum(map(parts, value))
            case dict():
                return 1 + max(len(value) - 1, 0) + len(value) + sum(map(parts, value.values()))
        return 0

    message = json.dumps(data)
    assert not has_too_many_parts(message, parts(data))
    assert parts(data) == 0 or has_too_many_parts(message, parts(data) - 1)


def test_the_short_way_of_an_event_takes_nothing_that_would_have_to_be_weighed() -> None:
    assert plain_event(f'42["wide",{",".join(["{}"] * MAX_PARTS)}]') is None
    assert plain_event('42["long","' + "x" * (MAX_PARTS - 20) + '"]') is not None
