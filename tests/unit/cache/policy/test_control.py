"""Which directives are in force: Cache-Control's, or those of the targeted field (RFC 9213)."""

from __future__ import annotations

import pytest

from steinmetz.cache.policy.control import control_of


def test_without_a_targeted_field_cache_control_is_in_force() -> None:
    control = control_of([(b"Cache-Control", b"max-age=60"), (b"cache-control", b"Public")])
    assert not control.targeted
    assert dict(control.directives) == {"max-age": "60", "public": None}
    assert control.seconds("max-age") == 60
    assert control.seconds("s-maxage") is None


def test_the_targeted_field_is_in_force_alone() -> None:
    control = control_of([(b"cache-control", b"no-store"), (b"CDN-Cache-Control", b"max-age=60, private")])
    assert control.targeted
    assert dict(control.directives) == {"max-age": "60", "private": None}


@pytest.mark.parametrize("said", [b"", b" ", b"max-age=60, &", b"Max-Age=60"])
def test_an_empty_or_malformed_targeted_field_is_as_if_absent(said: bytes) -> None:
    control = control_of([(b"cache-control", b"no-store"), (b"cdn-cache-control", said)])
    assert not control.targeted
    assert "no-store" in control


@pytest.mark.parametrize("said", [b'max-age="60"', b"max-age=60.0", b"max-age", b"max-age=sixty", b"max-age=(60)"])
def test_a_value_of_the_wrong_type_is_as_if_its_directive_were_absent(said: bytes) -> None:
    control = control_of([(b"cdn-cache-control", said + b", no-cache")])
    assert control.targeted
    assert dict(control.directives) == {"no-cache": None}


def test_false_is_as_if_absent_and_a_negative_age_is_none_at_all() -> None:
    control = control_of([(b"cdn-cache-control", b"no-store=?0, max-age=-5")])
    assert "no-store" not in control
    assert control.seconds("max-age") == 0


def test_private_with_fields_concerns_these_only() -> None:
    control = control_of([(b"cache-control", b'private="X-User, x-mail", no-cache')])
    assert control.fields("private") == {b"x-user", b"x-mail"}
    assert not control.is_whole("private")
    assert control.is_whole("no-cache")
    assert not control.is_whole("no-store")
