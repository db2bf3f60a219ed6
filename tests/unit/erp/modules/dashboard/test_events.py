"""What the dashboard room hears when the overview has changed."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from steinmetz.erp.modules.dashboard.events import overview_events, widget_updates
from steinmetz.erp.modules.dashboard.schemas import UPDATE, WIDGET_UPDATE, Overview, WidgetId

figures = st.dictionaries(st.sampled_from(["count", "sumCents"]), st.integers(0, 3))
overviews = st.fixed_dictionaries({widget.value: figures for widget in WidgetId}).map(
    lambda widgets: {"businessDate": "2026-03-02", "currency": "EUR", **widgets}
)


def test_every_widget_is_a_field_of_the_overview() -> None:
    fields = {field.alias for field in Overview.model_fields.values()}
    assert fields == {"businessDate", "currency", *WidgetId}


@given(overviews, overviews)
def test_only_widgets_that_differ_are_told(old: dict[str, Any], new: dict[str, Any]) -> None:
    updates = widget_updates(old, new)
    assert {update["widget"] for update in updates} == {each.value for each in WidgetId if old[each] != new[each]}
    assert all(new[update["widget"]] == update["data"] for update in updates)


@given(overviews)
def test_the_first_overview_is_news_in_every_widget(new: dict[str, Any]) -> None:
    assert len(widget_updates(None, new)) == len(WidgetId)
    assert widget_updates(new, dict(new)) == []


def test_the_business_date_alone_is_no_news_of_a_widget() -> None:
    old = {"businessDate": "2026-03-02", "currency": "EUR", **{each.value: {} for each in WidgetId}}
    new = old | {"businessDate": "2026-03-03"}
    assert overview_events(old, new) == [(UPDATE, new)]


def test_the_whole_is_told_before_its_parts() -> None:
    old: dict[str, Any] = {each.value: {} for each in WidgetId}
    new = old | {"cash": {"balanceCents": 7}}
    assert overview_events(old, new) == [
        (UPDATE, new),
        (WIDGET_UPDATE, {"widget": "cash", "data": {"balanceCents": 7}}),
    ]
