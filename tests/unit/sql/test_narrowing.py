"""The queue of statements that wait to be asked about."""

from __future__ import annotations

from steinmetz.sql import narrowing as module
from steinmetz.sql.catalogue import Catalogue
from steinmetz.sql.knowledge import unknown_facts
from steinmetz.sql.narrowing import Narrowing
from steinmetz.sql.schema import Edges
from steinmetz.sql.session import BEGINNING, Session
from steinmetz.sql.shape import shape_of

SHAPE = shape_of("SELECT 1")
FACTS = unknown_facts(SHAPE)
CATALOGUE = Catalogue([], [], Edges())


def attended() -> tuple[Narrowing, list[str]]:
    woken: list[str] = []
    narrowing = Narrowing()
    narrowing.attended_by(lambda: woken.append("up"))
    return narrowing, woken


def offer(narrowing: Narrowing, key: str, session: Session = BEGINNING) -> None:
    narrowing.offer(key, key, SHAPE, session, CATALOGUE)


def test_nothing_waits_where_nobody_works() -> None:
    narrowing = Narrowing()
    offer(narrowing, "a")
    assert narrowing.next() is None
    assert not narrowing.is_pending


def test_a_statement_waits_once_for_each_session() -> None:
    narrowing, woken = attended()
    for session in (BEGINNING, BEGINNING, Session("hr")):
        offer(narrowing, "a", session)
    assert woken == ["up", "up"]
    first = narrowing.next()
    assert first is not None
    offer(narrowing, "a")  # is being asked about
    assert narrowing.answered(first, FACTS)
    offer(narrowing, "a")  # is known
    second = narrowing.next()
    assert second is not None
    assert second.session == Session("hr")
    assert not narrowing.answered(second, None)
    assert not narrowing.is_pending
    assert narrowing.next() is None
    assert narrowing.known("a", BEGINNING) is FACTS
    assert narrowing.known("a", Session("hr")) is None
    assert (narrowing.asked, narrowing.failed) == (2, 1)


def test_an_answer_of_an_older_schema_is_of_no_use() -> None:
    narrowing, _ = attended()
    offer(narrowing, "a")
    question = narrowing.next()
    assert question is not None
    narrowing.forget()
    assert not narrowing.answered(question, FACTS)
    assert narrowing.known("a", BEGINNING) is None


def test_queue_and_memory_are_bounded() -> None:
    narrowing, _ = attended()
    for number in range(module.WAITING + 3):
        narrowing.offer(str(number), "", shape_of(f"SELECT a{number}"), BEGINNING, CATALOGUE)
    assert narrowing.dropped == 3
    offer(narrowing, "x" * (module.REMEMBERED_LENGTH + 1))
    assert narrowing.dropped == 3
    found: dict[tuple[str, Session], object] = narrowing._found  # type: ignore[assignment]
    found.update({(f"old {number}", BEGINNING): FACTS for number in range(module.REMEMBERED)})
    question = narrowing.next()
    assert question is not None
    narrowing.answered(question, FACTS)
    assert len(found) == module.REMEMBERED
    assert narrowing.known("old 0", BEGINNING) is None


def test_texts_of_one_shape_are_asked_about_a_few_times_only() -> None:
    narrowing, _ = attended()
    for number in range(module.SAME_SHAPE + 5):
        offer(narrowing, f"SELECT {number}")
    assert narrowing.dropped == 5
    narrowing.forget()
    offer(narrowing, "SELECT 99")
    assert narrowing.next() is not None


def test_what_could_not_be_asked_is_next_again() -> None:
    narrowing, _ = attended()
    offer(narrowing, "a")
    offer(narrowing, "b")
    question = narrowing.next()
    assert question is not None
    narrowing.again(question)
    assert narrowing.next() is question


def test_who_leaves_takes_the_queue_along() -> None:
    narrowing, _ = attended()
    offer(narrowing, "a")
    narrowing.attended_by(None)
    assert not narrowing.is_attended
    assert narrowing.next() is None
