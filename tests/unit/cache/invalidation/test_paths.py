from __future__ import annotations

import pytest

from steinmetz.cache.invalidation.paths import invalidated_by
from steinmetz.cache.policy.tags import written_paths


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_successful_write_changes_its_paths(method: str) -> None:
    assert invalidated_by(method, 303, ["/a", "/b"]) == written_paths(["/a", "/b"])


@pytest.mark.parametrize(("method", "status"), [("POST", 400), ("POST", 500), ("GET", 200), ("HEAD", 200)])
def test_errors_and_safe_methods_change_nothing(method: str, status: int) -> None:
    assert invalidated_by(method, status, ["/a"]) is None
