"""Too many statements in one unit of work."""

from __future__ import annotations

from steinmetz.monitor.analysis.chatty import Asked, chatty, over_budget
from steinmetz.monitor.analysis.patterns import PatternKind

ASKED = [Asked("a", "SELECT 1", 30, 300), Asked("b", "SELECT 2", 20, 100)]


def test_chatty_begins_at_its_threshold() -> None:
    assert chatty("GET /a", ASKED, 51) is None
    found = chatty("GET /a", ASKED, 50)
    assert found is not None
    assert (found.kind, found.scope, found.count, found.total_ns) == (PatternKind.CHATTY, "GET /a", 50, 400)
    assert found.statement == "SELECT 1"
    assert found.evidence == {"statements": 50, "different": 2, "mostFrequentCount": 30}


def test_a_budget_is_exceeded_by_one_more() -> None:
    assert over_budget("GET /a", ASKED, 50) is None
    found = over_budget("GET /a", ASKED, 49)
    assert found is not None
    assert found.kind is PatternKind.OVER_BUDGET
    assert "50 statements where at most 49" in found.remedy
    assert found.evidence["allowed"] == 49
