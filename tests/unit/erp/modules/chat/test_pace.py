from __future__ import annotations

import pytest

from steinmetz.erp.errors import TooManyRequests
from steinmetz.erp.modules.chat.pace import Pace


def test_ten_messages_at_once_and_one_a_second_for_each_user() -> None:
    pace = Pace()
    for _ in range(10):
        pace.speak(7, 0.0)
    with pytest.raises(TooManyRequests) as refused:
        pace.speak(7, 0.5)
    assert refused.value.headers["Retry-After"] == "1"
    pace.speak(8, 0.5)
    pace.speak(7, 1.0)
    with pytest.raises(TooManyRequests):
        pace.speak(7, 1.5)


def test_typing_is_told_once_a_second_for_each_user_and_channel() -> None:
    pace = Pace()
    assert pace.types(7, "general", 0.0)
    assert not pace.types(7, "general", 0.9)
    assert pace.types(7, "lager", 0.9)
    assert pace.types(8, "general", 0.9)
    assert pace.types(7, "general", 1.0)


def test_typing_costs_no_message() -> None:
    pace = Pace()
    for second in range(20):
        pace.types(7, "general", float(second))
    pace.speak(7, 20.0)
