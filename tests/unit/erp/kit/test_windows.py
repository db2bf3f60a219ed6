"""A window asks for one row more than it shows, and its cursor is where the next one begins."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from steinmetz.erp.kit.pagination import decode_cursor
from steinmetz.erp.kit.windows import Window, contains


class Base(DeclarativeBase):
    pass


class Part(Base):
    __tablename__ = "part"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


@dataclass
class Row:
    id: int
    name: str


BY_NAME = (Part.name, Part.id)


def sql(window: Window) -> str:
    compiled = window.of(select(Part.id)).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    return " ".join(str(compiled).split())


def test_one_row_more_is_asked_for_than_is_shown() -> None:
    assert sql(Window(BY_NAME, False, None, 2)) == (
        "SELECT part.id FROM part ORDER BY part.name, part.id LIMIT 3 OFFSET 0"
    )


def test_what_comes_after_a_row_lies_on_the_side_of_the_order() -> None:
    assert "(part.name, part.id) > ('Nut', 7) ORDER BY part.name, part.id" in sql(
        Window(BY_NAME, False, ("Nut", 7), 2)
    )
    assert "(part.name, part.id) < ('Nut', 7) ORDER BY part.name DESC, part.id DESC" in sql(
        Window(BY_NAME, True, ("Nut", 7), 2)
    )


def test_the_next_window_begins_after_the_last_row_that_is_shown() -> None:
    rows = [Row(1, "Bolt"), Row(4, "Nut"), Row(2, "Pin")]
    page = Window(BY_NAME, False, None, 2).page(rows, 9)
    assert (page.rows, page.total) == (rows[:2], 9)
    assert page.next is not None
    assert decode_cursor(page.next, str, int) == ("Nut", 4)


def test_the_last_page_has_no_next_one() -> None:
    page = Window(BY_NAME, False, None, 2).page([Row(1, "Bolt"), Row(4, "Nut")], None)
    assert (page.next, page.total) == (None, 0)


def test_a_sought_text_is_no_pattern() -> None:
    said = str(contains(Part.name, "5%").compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    assert "5/%" in said
    assert "ESCAPE '/'" in said
