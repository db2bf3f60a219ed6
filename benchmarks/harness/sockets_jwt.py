"""The token that every client shows: HS256, as short-lived access tokens are; no secret outside a benchmark."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

SECRET = "a key of a benchmark, at least 32 bytes long"
CLAIMS = {
    "sub": "7",
    "sid": "b1d768ef0a5c4c0e9f6c",
    "role": "clerk",
    "ver": 1,
    "iat": 1_772_442_000,
    "exp": 4_102_444_800,
}


def token() -> str:
    """Made by hand (RFC 7519), so that no peer's library has signed what another's verifies."""
    head = _encoded(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    signed = f"{head}.{_encoded(json.dumps(CLAIMS).encode())}"
    signature = hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_encoded(signature)}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
