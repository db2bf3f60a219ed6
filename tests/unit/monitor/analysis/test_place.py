"""A line of the application, as it is told."""

from __future__ import annotations

from steinmetz.monitor.analysis.place import Place


def test_a_place_reads_like_a_traceback() -> None:
    assert str(Place("shop/cart.py", 12, "Cart.total")) == "shop/cart.py:12 in Cart.total"
