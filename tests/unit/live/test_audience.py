"""Who hears of an answer, by the path as he has spelled it."""

from __future__ import annotations

from typing import Any

from steinmetz.live.audience import Audience


def test_the_members_of_a_path_are_the_same_object_until_one_comes_or_goes() -> None:
    audience, ada, bo = Audience(), object(), object()
    members: Any = (ada, bo)
    for member in members:
        audience.add("/a", member)
    first = audience.members("/a")
    assert first == members
    assert audience.members("/a") is first
    audience.discard("/a", bo)  # type: ignore[arg-type]
    assert audience.members("/a") == (ada,)


def test_each_spelling_has_members_of_its_own_and_an_empty_one_is_gone() -> None:
    audience, ada = Audience(), object()
    for path in ("/a", "/b", "/a"):
        audience.add(path, ada)  # type: ignore[arg-type]
    assert (len(audience), dict(audience)) == (2, {"/a": (ada,), "/b": (ada,)})
    for path in ("/a", "/a", "/c"):
        audience.discard(path, ada)  # type: ignore[arg-type]
    assert (len(audience), dict(audience), audience.anyone()) == (1, {"/b": (ada,)}, ada)
    audience.discard("/b", ada)  # type: ignore[arg-type]
    assert audience.anyone() is None
