from __future__ import annotations

from steinmetz.erp.modules.system.rules import differences


def test_differences_are_what_was_and_what_is() -> None:
    before = {"name": "A", "city": "Aalen", "gone": 1}
    after = {"name": "B", "city": "Aalen", "new": None, "came": 2}
    assert differences(before, after) == ({"name": "A", "gone": 1}, {"name": "B", "came": 2})
    assert differences(before, before) == ({}, {})
