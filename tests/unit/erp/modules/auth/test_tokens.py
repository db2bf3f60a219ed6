from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from steinmetz.erp.modules.auth.tokens import (
    ExpiredTokenError,
    InvalidTokenError,
    RefreshClaims,
    Tokens,
    seconds_left,
)

NOW = datetime(2026, 3, 2, 9, 0, 0, 900_000, tzinfo=UTC)
NEW, OLD, FOREIGN = "n" * 40, "o" * 40, "f" * 40


def test_an_access_token_says_who_and_until_when() -> None:
    tokens = Tokens([NEW])
    claims = tokens.prove_access(tokens.issue_access(7, "s1", 3, NOW), NOW)
    assert (claims.user_id, claims.session_id, claims.auth_version) == (7, "s1", 3)
    assert claims.expires_at == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


def test_an_access_token_is_void_from_its_expiry_on() -> None:
    tokens = Tokens([NEW], access_s=60)
    token = tokens.issue_access(7, "s1", 1, NOW)
    tokens.prove_access(token, datetime(2026, 3, 2, 9, 0, 59, 999_999, tzinfo=UTC))
    with pytest.raises(ExpiredTokenError):
        tokens.prove_access(token, datetime(2026, 3, 2, 9, 1, tzinfo=UTC))


def test_the_older_secret_is_accepted_and_the_newer_signs() -> None:
    before, after = Tokens([OLD]), Tokens([NEW, OLD])
    after.prove_access(before.issue_access(7, "s1", 1, NOW), NOW)
    assert after.prove_refresh(before.issue_refresh("s1", 4)) == RefreshClaims("s1", 4)
    with pytest.raises(InvalidTokenError):
        before.prove_access(after.issue_access(7, "s1", 1, NOW), NOW)
    with pytest.raises(InvalidTokenError):
        before.prove_refresh(after.issue_refresh("s1", 4))


def forged(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)
    ]
    return ".".join([*parts, ""])


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "ü.ü.ü",
        "x" * 10_000,
        forged({"alg": "none"}, {"sub": "1", "sid": "s", "av": 1, "iat": 0, "exp": 9e9, "iss": "steinmetz"}),
        Tokens([FOREIGN]).issue_access(1, "s", 1, NOW),
        Tokens([NEW]).issue_refresh("s1", 1),
        jwt.encode({"sub": "1"}, NEW, algorithm="HS256"),
    ],
)
def test_what_we_did_not_sign_proves_nothing(token: str) -> None:
    with pytest.raises(InvalidTokenError):
        Tokens([NEW, OLD]).prove_access(token, NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"sub": "x"},
        {"sub": 1},
        {"sub": "0"},
        {"sub": "2147483648"},
        {"sid": "s\x00"},
        {"av": "x"},
        {"exp": "x"},
        {"exp": 1e30},
        {"iss": "somebody"},
        {"sid": None},
        {"exp": None},
    ],
)
def test_claims_of_another_kind_prove_nothing(change: dict[str, Any]) -> None:
    tokens = Tokens([NEW])
    claims = {"sub": "1", "sid": "s", "av": 1, "iat": 1, "exp": 9_999_999_999, "iss": "steinmetz", **change}
    signed = (
        jwt.encode(
            {name: value for name, value in claims.items() if value is not None},
            tokens._signing[0],
            algorithm="HS256",
        )
        if claims["sub"] != 1
        else _raw(tokens, claims)
    )
    with pytest.raises(InvalidTokenError):
        tokens.prove_access(signed, NOW)


def _raw(tokens: Tokens, claims: dict[str, Any]) -> str:
    """PyJWT itself refuses to encode a subject that is no text."""
    return jwt.api_jws.encode(json.dumps(claims).encode(), tokens._signing[0], algorithm="HS256")


def test_a_refresh_token_is_always_the_same_for_its_generation() -> None:
    tokens = Tokens([NEW])
    assert tokens.issue_refresh("s1", 2) == tokens.issue_refresh("s1", 2)
    assert tokens.issue_refresh("s1", 2) != tokens.issue_refresh("s1", 3)
    assert tokens.prove_refresh(tokens.issue_refresh("s1", 2)) == RefreshClaims("s1", 2)


@pytest.mark.parametrize(
    "change", [("s1", "s2"), (".2.", ".3."), (".2.", "."), (".2.", ".-2."), (".2.", ".²."), ("s1", "")]
)
def test_a_changed_refresh_token_proves_nothing(change: tuple[str, str]) -> None:
    tokens = Tokens([NEW])
    with pytest.raises(InvalidTokenError):
        tokens.prove_refresh(tokens.issue_refresh("s1", 2).replace(*change))


def test_seconds_left_are_never_negative() -> None:
    assert seconds_left(NOW + timedelta(seconds=2.9), NOW) == 2
    assert seconds_left(NOW - timedelta(days=1), NOW) == 0
