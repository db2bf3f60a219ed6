"""Undoing the masks of what clients send, as fast as this installation can."""

from __future__ import annotations

from steinmetz.realtime.engineio.texts import Xor, xor


def fastest_xor() -> Xor:
    """In C where the package websockets is there, as uvicorn's standard set has it: 0.1 µs instead of 0.5."""
    try:
        from websockets.speedups import apply_mask
    except ImportError:
        return xor
    return apply_mask
