"""VAT identification numbers with valid check digits; pure."""

from __future__ import annotations


def german_vat_id(eight_digits: str) -> str:
    """``DE`` and nine digits; the last is the check digit of ISO 7064, MOD 11,10."""
    product = 10
    for digit in eight_digits:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return f"DE{eight_digits}{(11 - product) % 10}"


def swiss_vat_id(eight_digits: str) -> str | None:
    """``CHE-123.456.788 MWST``; None where the weighted sum modulo 11 leaves no single check digit."""
    weighted = sum(
        int(digit) * weight for digit, weight in zip(eight_digits, (5, 4, 3, 2, 7, 6, 5, 4), strict=True)
    )
    check = (11 - weighted % 11) % 11
    if check == 10:
        return None
    digits = f"{eight_digits}{check}"
    return f"CHE-{digits[:3]}.{digits[3:6]}.{digits[6:]} MWST"
