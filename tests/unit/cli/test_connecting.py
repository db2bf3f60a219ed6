"""What the doctor says of sockets and screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from steinmetz.cli import connecting
from steinmetz.cli.finding import Verdict
from steinmetz.erp.settings import Settings, load_settings

Door = Callable[[str, dict[str, str]], int | None]


def test_screens_move_unless_a_switch_is_off() -> None:
    [told] = connecting.screens(load_settings())
    assert told.verdict is Verdict.FINE
    for switch in ("live", "cache"):
        [told] = connecting.screens(load_settings(**{switch: False}))
        assert (told.verdict, told.mend) == (Verdict.WARNING, f"STEINMETZ_{switch.upper()}=on")


def sockets(monkeypatch: pytest.MonkeyPatch, door: Door, **settings: object) -> list[tuple[Verdict, str]]:
    def answered(settings: Settings, path: str, fields: dict[str, str] | None = None) -> int | None:
        return door(path, fields or {})

    monkeypatch.setattr(connecting, "answered", answered)
    return [(told.verdict, told.message) for told in connecting.sockets(load_settings(**settings))]


def test_without_a_running_server_there_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sockets(monkeypatch, lambda path, fields: None) == []


def test_a_running_server_is_knocked_at_as_a_client_does(monkeypatch: pytest.MonkeyPatch) -> None:
    [(verdict, _)] = sockets(monkeypatch, lambda path, fields: 101 if "Upgrade" in fields else 200)
    assert verdict is Verdict.FINE


@pytest.mark.parametrize(
    ("door", "said"),
    [
        (lambda path, fields: 404 if "polling" in path else 200, "404 over polling"),
        (lambda path, fields: 200, "a WebSocket is answered with 200"),
        (
            lambda path, fields: 101 if "Upgrade" in fields else 403 if "Origin" in fields else 200,
            "a page of https://erp.example.com is answered with 403",
        ),
    ],
    ids=["polling", "WebSocket", "origin"],
)
def test_what_stands_in_a_client_s_way_is_a_fault(monkeypatch: pytest.MonkeyPatch, door: Door, said: str) -> None:
    [(verdict, message)] = sockets(monkeypatch, door, cors_origins="https://erp.example.com")
    assert verdict is Verdict.FAULT
    assert said in message


def test_nobody_answers_where_nobody_is() -> None:
    assert connecting.answered(load_settings(host="127.0.0.1", port=1), "/version") is None
