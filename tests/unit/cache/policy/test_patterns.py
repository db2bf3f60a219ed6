from __future__ import annotations

import pytest

from steinmetz.cache.policy.patterns import PathPattern


@pytest.mark.parametrize(
    ("pattern", "path", "does"),
    [
        ("/api/invoices", "/api/invoices", True),
        ("/api/invoices", "/api/invoices/", True),
        ("/api/invoices", "/api/invoices/7", False),
        ("/api/invoices/*", "/api/invoices/7", True),
        ("/api/invoices/*", "/api/invoices", False),
        ("/api/invoices/*", "/api/invoices/7/pdf", False),
        ("/api/invoices/*/pdf", "/api/invoices/7/pdf", True),
        ("/api/invoices/*/pdf", "/api/invoices/7/xml", False),
        ("/api/**", "/api", True),
        ("/api/**", "/api/a/b/c", True),
        ("/api/**", "/api-old", False),
        ("/*/nodes/**", "/api/nodes/7/children", True),
        ("/**", "/", True),
        ("/", "/", True),
        ("/", "/a", False),
    ],
)
def test_what_matches(pattern: str, path: str, does: bool) -> None:
    assert PathPattern.of(pattern).matches(path) is does


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("api/*", "starts with"),
        ("", "starts with"),
        ("/a/**/b", "at its end only"),
        ("/inv*", "one whole segment"),
        ("/a/***", "one whole segment"),
    ],
)
def test_what_is_no_pattern_is_said_to_be_none(pattern: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        PathPattern.of(pattern)


@pytest.mark.parametrize(
    ("pattern", "above"),
    [("/a/b/*/c", "/a/b"), ("/a/**", "/a"), ("/*/a", "/"), ("/a/b", "/a/b"), ("/**", "/")],
)
def test_all_that_matches_lies_at_or_below_one_path(pattern: str, above: str) -> None:
    assert PathPattern.of(pattern).above() == above


@pytest.mark.parametrize("pattern", ["/", "/**", "/a/*/b", "/a/**"])
def test_it_is_shown_as_it_was_written(pattern: str) -> None:
    assert str(PathPattern.of(pattern)) == pattern
