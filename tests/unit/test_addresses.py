from __future__ import annotations

import pytest

from steinmetz.addresses import is_local, network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:0db8:0001:0002"),
        ("2001:db8:1:2:ffff::9", "2001:0db8:0001:0002"),
        ("2001:db8:1:3::1", "2001:0db8:0001:0003"),
        ("unix", "unix"),
        ("x" * 5_000, "x" * 64),
    ],
)
def test_an_ipv6_customer_is_one_address(address: str, network: str) -> None:
    assert network_of(address) == network


def test_this_machine_is_its_loopback_and_the_socket_without_an_address() -> None:
    local = ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", ""]
    assert [address for address in local if not is_local(address)] == []
    assert [address for address in ("192.0.2.7", "::2", "localhost", "10.0.0.1") if is_local(address)] == []
