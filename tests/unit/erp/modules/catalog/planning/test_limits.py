"""What the rules would do otherwise is told and not done."""

from __future__ import annotations

from steinmetz.erp.modules.catalog.formats.findings import Code, Findings
from steinmetz.erp.modules.catalog.formats.markdown import read_markdown
from steinmetz.erp.modules.catalog.lint import LintRules
from steinmetz.erp.modules.catalog.planning.limits import observe_rules
from tests.unit.erp.modules.catalog.planning.catalogues import tree


def test_what_the_rules_would_do_otherwise_is_told_and_not_done() -> None:
    findings = Findings()
    text = tree("Lager", ".B", "..1", "...x", "...y", "....z", ".A", ".C (w:-1)")
    outline = read_markdown("x", text.encode(), findings)
    rules = LintRules(max_levels=3, max_children=2, sorts=True)
    observe_rules(outline, rules, findings, prunes=True)
    assert [(each.code, each.text) for each in findings.shown] == [
        (Code.OVERFLOW, "Lager"),
        (Code.BEYOND_DEPTH, "1"),
        (Code.OTHER_ORDER, "Lager"),
    ]
    assert "3 nodes below it" in findings.shown[1].reason
