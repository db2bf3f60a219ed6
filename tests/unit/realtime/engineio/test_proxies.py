"""Who is behind the proxies, and who only says so."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.realtime.engineio.proxies import MAX_HOPS, Peer, TrustedProxies

PROXY = "10.0.0.1"
NETWORKS = (PROXY, "10.1.0.0/16", "2001:db8:ffff::/48")


def peer(seen: str, *headers: tuple[str, str], kind: str = "x-forwarded", secure: bool = False) -> Peer:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return TrustedProxies(NETWORKS, kind).peer(Peer(seen, secure), raw)


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 10.1.0.7, 10.0.0.1", "203.0.113.9"),
        ("10.1.0.7", "10.1.0.7"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8::9]:4711", "2001:db8::9"),
        ("2001:db8::9", "2001:db8::9"),
        ("2001:db8::9, 2001:db8:ffff::1", "2001:db8::9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("unknown", PROXY),
        ("203.0.113.9, unknown", PROXY),
        ("203.0.113.9, unknown, 10.1.0.7", "10.1.0.7"),
        ("", PROXY),
        (" , ,", PROXY),
        ("'; drop table", PROXY),
    ],
)
def test_the_list_is_read_from_its_end(forwarded: str, address: str) -> None:
    assert peer(PROXY, ("x-forwarded-for", forwarded)).address == address


def test_whoever_is_no_trusted_proxy_says_what_he_likes() -> None:
    lies = [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-proto", "https"), ("forwarded", "for=127.0.0.1")]
    for kind in ("x-forwarded", "forwarded"):
        assert peer("203.0.113.9", *lies, kind=kind) == Peer("203.0.113.9", False)
    assert TrustedProxies(()).peer(Peer(PROXY, False), [(b"x-forwarded-for", b"6.6.6.6")]).address == PROXY


def test_the_header_that_the_proxies_do_not_write_is_the_clients() -> None:
    both = [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.7")]
    assert peer(PROXY, *both).address == "203.0.113.9"
    assert peer(PROXY, *both, kind="forwarded").address == "203.0.113.7"


def test_a_header_that_comes_twice_is_one_list() -> None:
    twice = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.9")]
    assert peer(PROXY, *twice).address == "203.0.113.9"


@pytest.mark.parametrize(
    ("scheme", "secure"), [("https", True), ("wss", True), ("HTTPS", True), ("http", False), ("x, https", True)]
)
def test_the_scheme_is_that_of_the_nearest_proxy(scheme: str, secure: bool) -> None:
    assert peer(PROXY, ("x-forwarded-proto", scheme)).secure is secure
    assert peer(PROXY, ("x-forwarded-for", "203.0.113.9"), secure=True).secure


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("for=203.0.113.9", Peer("203.0.113.9", False)),
        ("for=203.0.113.9;proto=https;by=10.0.0.1", Peer("203.0.113.9", True)),
        ('For="[2001:db8:cafe::17]:4711"', Peer("2001:db8:cafe::17", False)),
        ('for=6.6.6.6, for="203.0.113.9:80";Proto=HTTPS', Peer("203.0.113.9", True)),
        ('for="a, for=6.6.6.6"', Peer(PROXY, False)),
        ("for=6.6.6.6, proto=https", Peer(PROXY, True)),
        ("for=_hidden, for=unknown", Peer(PROXY, False)),
        ("for=203.0.113.9,", Peer("203.0.113.9", False)),
        ('for="203.0.113.9', Peer(PROXY, False)),
        ("203.0.113.9", Peer(PROXY, False)),
    ],
)
def test_forwarded_as_rfc_7239_has_it(forwarded: str, expected: Peer) -> None:
    assert peer(PROXY, ("forwarded", forwarded), kind="forwarded") == expected


@settings(derandomize=True, max_examples=150)
@given(
    st.lists(
        st.sampled_from(["6.6.6.6", "10.1.0.7", "2001:db8:ffff::1", "unknown", "x" * 90, "[", "::1:", "1:2"])
    ),
    st.text(st.sampled_from('for=;," \\[]:.0a'), max_size=40),
    st.booleans(),
)
def test_whatever_is_forwarded_ends_in_an_address(hops: list[str], noise: str, is_standard: bool) -> None:
    """Neither a name nor a fragment: what is counted by address is counted by addresses."""
    kind = "forwarded" if is_standard else "x-forwarded"
    value = noise if is_standard else ", ".join([*hops, noise])
    name = "forwarded" if is_standard else "x-forwarded-for"
    found = peer(PROXY, (name, value), kind=kind).address
    assert found == PROXY or set(found) <= set("0123456789abcdef:.")


def test_only_so_many_hops_are_looked_at() -> None:
    long = ", ".join(["6.6.6.6"] + ["10.1.0.7"] * (MAX_HOPS + 5))
    assert peer(PROXY, ("x-forwarded-for", long)).address == "10.1.0.7"
