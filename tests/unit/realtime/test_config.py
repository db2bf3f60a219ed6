"""Settings that no server could keep are refused."""

from __future__ import annotations

from typing import Any

import pytest

from steinmetz.realtime import Config, ConnectionStateRecovery


@pytest.mark.parametrize(
    "setting",
    [
        {"ping_interval_s": 0},
        {"ping_timeout_s": -1},
        {"connect_timeout_s": 0},
        {"upgrade_timeout_s": 0},
        {"max_payload": 0},
        {"max_connections": 0},
        {"client_queue_bytes": 0},
        {"deflate_threshold": -1},
        {"auth_timeout_s": 0},
        {"max_connect_payload": 0},
        {"proxy_header": "x-real-ip"},
        {"path": "socket.io/"},
        {"path": "/socket.io"},
    ],
)
def test_each_is_named_in_its_error(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        Config(**setting)


@pytest.mark.parametrize(
    "setting",
    [
        {"max_disconnection_duration_s": 0},
        {"takeover_timeout_s": -1},
        {"max_log_bytes": 0},
        {"max_sessions": 0},
        {"max_session_bytes": 0},
    ],
)
def test_so_is_each_of_recovery(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))):
        ConnectionStateRecovery(**setting)


@pytest.mark.parametrize(
    "origin",
    [
        "https://portal.example/",
        "portal.example",
        "https://Portal.example",
        "https://*.example",
        "https://",
        "null",
    ],
)
def test_an_origin_that_no_browser_would_ever_send_is_refused(origin: str) -> None:
    """It would be a setting that silently does nothing."""
    with pytest.raises(ValueError, match="no origin"):
        Config(cors_origins=(origin,))


def test_origins_as_browsers_send_them_are_taken() -> None:
    Config(cors_origins=("https://portal.example", "http://localhost:3000", "capacitor://localhost", "*"))


def test_a_proxy_is_an_address_or_a_network() -> None:
    Config(trusted_proxies=("10.0.0.1", "10.1.0.0/16", "2001:db8::/32"))
    with pytest.raises(ValueError, match="proxy"):
        Config(trusted_proxies=("proxy",))


def test_the_defaults_are_the_contracted_ones() -> None:
    config = Config()
    assert (config.path, config.cors_origins, config.require_auth) == ("/socket.io/", (), True)
    assert config.connection_state_recovery is None
    assert config.private_room("user:5")
    assert not config.private_room("dashboard-room")
