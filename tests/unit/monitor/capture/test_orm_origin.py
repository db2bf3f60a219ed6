"""The canary for SQLAlchemy's private names; runs on every minor that is supported."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import ForeignKey, String, create_engine, select, text
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    deferred,
    mapped_column,
    relationship,
    selectinload,
)

from steinmetz.monitor.analysis.remedies import APPLICATION, Cause, Origin
from steinmetz.monitor.capture.orm_origin import origin_of
from steinmetz.sql import Execution, Verb, hook


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")
    books: Mapped[list[Book]] = relationship(back_populates="author")


class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    blurb: Mapped[str] = deferred(mapped_column(String, default=""))
    kind: Mapped[str] = mapped_column(default="book")
    part_of: Mapped[int | None] = mapped_column(ForeignKey("books.id"))
    author: Mapped[Author] = relationship(back_populates="books")
    series: Mapped[Book | None] = relationship(remote_side="Book.id")
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "book"}  # noqa: RUF012


class Atlas(Book):
    __tablename__ = "atlases"
    id: Mapped[int] = mapped_column(ForeignKey("books.id"), primary_key=True)
    scale: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"polymorphic_identity": "atlas"}  # noqa: RUF012


def last_origin(act: Callable[[Session], Any]) -> Origin:
    """Why the last statement of ``act`` was sent."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    origins: list[Origin] = []

    def note(execution: Execution) -> None:
        if execution.facts.verb is not Verb.TRANSACTION:
            origins.append(origin_of(execution.context))

    with Session(engine) as session:
        session.add(Author(id=1, books=[Book(id=1), Atlas(id=2, part_of=1)]))
        session.commit()
        session.expunge_all()
        hook(engine).observe_executions(note)
        act(session)
    engine.dispose()
    return origins[-1]


def one(session: Session) -> Book:
    return session.scalars(select(Book).where(Book.id == 1)).one()


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (lambda s: one(s).author, Origin(Cause.LAZY_LOAD, "Book.author")),
        (lambda s: s.get_one(Author, 1).books, Origin(Cause.LAZY_LOAD, "Author.books", is_collection=True)),
        (lambda s: s.get_one(Atlas, 2).series, Origin(Cause.LAZY_LOAD, "Book.series", is_recursive=True)),
        (
            lambda s: s.scalars(select(Author).options(selectinload(Author.books))).all(),
            Origin(Cause.EAGER_LOAD, "Author.books", is_collection=True),
        ),
        (lambda s: one(s).blurb, Origin(Cause.DEFERRED, "Book.blurb", "Book")),
        (
            lambda s: s.scalars(select(Book).where(Book.id == 2)).one().scale,
            Origin(Cause.INHERITED, "Book", "Atlas"),
        ),
        (lambda s: (a := s.get_one(Author, 1), s.expire(a), a.name), Origin(Cause.EXPIRED, entity="Author")),
        (lambda s: s.refresh(s.get_one(Author, 1)), Origin(Cause.REFRESH, entity="Author")),
        (lambda s: s.get(Author, 1), Origin(entity="Author")),
        (lambda s: s.scalars(select(Author)).all(), Origin(entity="Author")),
        (lambda s: s.execute(select(Author.name)).all(), APPLICATION),
        (lambda s: s.execute(text("SELECT 1")), APPLICATION),
        (lambda s: (s.add(Author(id=7)), s.flush()), Origin(Cause.FLUSH)),
    ],
    ids=[
        "many-to-one", "one-to-many", "to itself", "selectin", "deferred", "inherited", "expired", "refresh",
        "get", "select", "columns", "text", "flush",
    ],
)  # fmt: skip
def test_the_orm_tells_why_it_asks(act: Callable[[Session], Any], expected: Origin) -> None:
    assert last_origin(act) == expected


def test_another_sqlalchemy_gets_advice_in_terms_of_sql() -> None:
    assert origin_of(None) == APPLICATION
    broken: Any = SimpleNamespace(compiled=object(), execution_options=None)
    assert origin_of(broken) == APPLICATION
    load = SimpleNamespace(_lazy_loaded_from=SimpleNamespace(class_=Author))
    nameless: Any = SimpleNamespace(
        compiled=SimpleNamespace(statement=SimpleNamespace()), execution_options={"_sa_orm_load_options": load}
    )
    assert origin_of(nameless) == Origin(Cause.LAZY_LOAD, "a relationship of Author")
