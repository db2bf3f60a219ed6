"""Who is meant by an emission, and how it is to be treated."""

from __future__ import annotations

import pytest

from steinmetz.realtime import Server

pytestmark = pytest.mark.anyio


async def test_an_operator_can_be_kept_and_refined(io: Server) -> None:
    finance = io.to("finance")
    assert finance.to("hr")._selection.rooms == {"finance", "hr"}
    assert finance.except_("hr")._selection.except_rooms == {"hr"}
    assert finance.local._selection.is_local
    assert finance.volatile.to("hr")._flags.volatile
    assert finance._selection.rooms == {"finance"}


async def test_what_is_said_of_its_treatment_adds_up(io: Server) -> None:
    flags = io.volatile.newest("job:5").compress(False).to("finance")._flags
    assert (flags.volatile, flags.newest, flags.compress) == (True, "job:5", False)
    assert io.newest("a")._flags.newest == io.of("/").newest("a")._flags.newest == "a"
    assert not io.compress(False)._flags.compress
    assert io.of("/").compress(False).compress(True)._flags.compress
