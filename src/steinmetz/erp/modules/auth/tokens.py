"""Access tokens (JWT, RFC 7519, HS256) and refresh tokens; pure but for the cryptography.

A refresh token is not stored anywhere: it is derived from the session, its generation and the secret, so that the
same generation always has the same token.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from steinmetz.erp.kit.fields import MAX_RECORD_ID

ISSUER = "steinmetz"
MAX_TOKEN_CHARS = 4_096
_CLAIMS = ["sub", "sid", "av", "iat", "exp", "iss"]


class TokenError(Exception):
    """The token proves nothing; the message is told to the caller."""


class InvalidTokenError(TokenError):
    def __init__(self) -> None:
        super().__init__("Token invalid")


class ExpiredTokenError(TokenError):
    def __init__(self) -> None:
        super().__init__("Token expired")


@dataclass(frozen=True, slots=True)
class Claims:
    """What an access token says."""

    user_id: int
    session_id: str
    auth_version: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """What a refresh token says."""

    session_id: str
    generation: int


class Tokens:
    """Issues tokens under the first of ``secrets`` and accepts those of all of them."""

    def __init__(self, secrets: Sequence[str], *, access_s: int = 900) -> None:
        self.access_s = access_s
        self._signing = [_derived(secret, b"steinmetz access v1") for secret in secrets]
        self._refreshing = [_derived(secret, b"steinmetz refresh v1") for secret in secrets]

    def issue_access(self, user_id: int, session_id: str, auth_version: int, now: datetime) -> str:
        """An access token that is good for ``access_s`` seconds from ``now``."""
        issued = int(now.timestamp())
        claims = {
            "sub": str(user_id),
            "sid": session_id,
            "av": auth_version,
            "iat": issued,
            "exp": issued + self.access_s,
            "iss": ISSUER,
        }
        return jwt.encode(claims, self._signing[0], algorithm="HS256")

    def prove_access(self, token: str, now: datetime) -> Claims:
        """What ``token`` says, if it is ours and not expired at ``now``. Raises `TokenError`."""
        proven = self._proven(token)
        # "The current date/time MUST be before the expiration date/time" (RFC 7519, 4.1.4).
        if now >= proven.expires_at:
            raise ExpiredTokenError
        return proven

    def prove_once(self, token: str) -> Claims | None:
        """What ``token`` says, expired or not; None if it is not ours."""
        try:
            return self._proven(token)
        except InvalidTokenError:
            return None

    def _proven(self, token: str) -> Claims:
        claims = self._claims(token)
        try:
            expires_at = datetime.fromtimestamp(claims["exp"], UTC)
            proven = Claims(int(claims["sub"]), str(claims["sid"]), int(claims["av"]), expires_at)
            if not (0 < proven.user_id <= MAX_RECORD_ID and proven.session_id.isalnum()):
                raise ValueError("signed by us, but names nothing that the database could hold")
        except (ValueError, TypeError, OverflowError, OSError):
            raise InvalidTokenError from None
        return proven

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > MAX_TOKEN_CHARS:
            raise InvalidTokenError
        for key in self._signing:
            try:
                # Expiry is checked by the caller, against the clock of the application.
                return jwt.decode(
                    token,
                    key,
                    algorithms=["HS256"],
                    issuer=ISSUER,
                    options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False},
                )
            except jwt.InvalidSignatureError:
                continue
            except (jwt.InvalidTokenError, ValueError):
                raise InvalidTokenError from None
        raise InvalidTokenError

    def issue_refresh(self, session_id: str, generation: int) -> str:
        """The refresh token of this generation: ``<session>.<generation>.<signature>``."""
        return f"{session_id}.{generation}.{_signature(self._refreshing[0], session_id, generation)}"

    def prove_refresh(self, token: str) -> RefreshClaims:
        """What ``token`` says, if it is ours. Raises `InvalidTokenError`."""
        session_id, _, rest = token[:MAX_TOKEN_CHARS].partition(".")
        digits, _, signature = rest.partition(".")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
            raise InvalidTokenError
        generation = int(digits)
        for key in self._refreshing:
            expected = _signature(key, session_id, generation)
            if hmac.compare_digest(signature.encode(), expected.encode()):
                return RefreshClaims(session_id, generation)
        raise InvalidTokenError


def seconds_left(expires_at: datetime, now: datetime) -> int:
    """Whole seconds until ``expires_at``, never negative."""
    return max(0, (expires_at - now) // timedelta(seconds=1))


def _derived(secret: str, purpose: bytes) -> bytes:
    # One secret, two purposes: a token of the one kind must never pass for the other.
    return hmac.digest(secret.encode(), purpose, hashlib.sha256)


def _signature(key: bytes, session_id: str, generation: int) -> str:
    digest = hmac.digest(key, f"{session_id}.{generation}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
