"""How messages and records travel over Redis: commands out, what is published in. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex
from typing import Any

from steinmetz.realtime.adapters.bus import Receiver
from steinmetz.realtime.recovery.record import Keys, Record, Stamp
from steinmetz.realtime.socketio.recovery import MAX_POSITION_DIGITS

PLAIN, STAMPED = b"\0", b"\1"
"""What each message begins with. A stamp is the name of an epoch, a position and a colon."""
EPOCH_LENGTH = 32
LANE_LENGTH = 1_000
"""Emissions of one room that are kept; the oldest go first."""


def append_command(record: Record, keys: Keys, script: bytes, publish: bytes) -> Sequence[Any]:
    """How ``record`` is put into its log and published."""
    lanes = [keys.lane(lane) for lane in record.lanes]
    ways = [part for way in (record.own, *record.channels) for part in way]
    return (
        *(b"EVALSHA", script, 1 + len(lanes), keys.state, *lanes, token_hex(EPOCH_LENGTH // 2)),
        *(record.node, record.number, int(record.life_s * 1_000), LANE_LENGTH, publish),
        *(record.body, record.kept, *ways),
    )


def hand_over(receiver: Receiver, channel: str, told: bytes) -> None:
    if told[:1] != STAMPED:
        receiver.receive(channel, told[1:])
        return
    end = told.find(b":", 1 + EPOCH_LENGTH)
    position = told[1 + EPOCH_LENGTH : end]
    if end < 0 or not position.isdigit() or len(position) > MAX_POSITION_DIGITS:
        receiver.receive(channel, b"")  # no bus of ours has published this
        return
    receiver.receive(channel, told[end + 1 :], Stamp(told[1 : 1 + EPOCH_LENGTH], int(position)))
