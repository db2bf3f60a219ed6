"""What one node keeps of the others."""

from __future__ import annotations

from steinmetz.realtime.adapters.messages import Replay
from steinmetz.realtime.adapters.peers import Peers


def test_rooms_that_come_and_go_are_not_remembered_for_nodes_that_are_gone() -> None:
    peers = Peers()
    for number in range(3):
        peer = peers.meet(bytes([number] * 8), 0.0)
        assert peer is not None
        peer.ask(0, "nonce", 0.0)
        peer.answered(Replay("nonce", 0, 5, is_last=True, is_lost=False, said=[]), lambda _channel: True, 0.0)
    gone, here, _ = peers.all()
    gone.is_up = False
    gone.blur()
    for number in range(100):
        peers.listened(f"room {number}")
    assert (len(gone.fresh), len(here.fresh)) == (0, 100)
