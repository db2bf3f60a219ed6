"""What is unread, counted by the database and by a model of three people in two channels; on both engines."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steinmetz.erp.db import Database, Publication, Unit
from steinmetz.erp.errors import Conflict, NotFound
from steinmetz.erp.kit.announcements import Announcement, Departure
from steinmetz.erp.kit.pagination import PageQuery
from steinmetz.erp.kit.roles import Actor, Role
from steinmetz.erp.modules.auth.models import User
from steinmetz.erp.modules.chat import messages, reading, service
from steinmetz.erp.modules.chat.schemas import ChannelInput, MessageInput

pytestmark = pytest.mark.anyio

ADA, BEN, CEM = PEOPLE = [
    Actor(1, "Ada", Role.MANAGER),
    Actor(2, "Ben", Role.CLERK),
    Actor(3, "Cem", Role.CLERK),
]

person = st.sampled_from(PEOPLE)
is_private = st.booleans()
place = st.integers(0, 30)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), person, is_private),
        st.tuples(st.just("say"), person, is_private),
        st.tuples(st.just("read"), person, is_private, place),
        st.tuples(st.just("delete"), st.just(ADA), is_private, place),
        st.tuples(st.just("add"), st.sampled_from([BEN, CEM])),
        st.tuples(st.just("remove"), st.sampled_from([BEN, CEM])),
    ),
    max_size=25,
)


class UndoError(Exception):
    """Raised at the end of an example: the next one begins where this one began."""


async def employ(unit: Unit) -> None:
    unit.session.add_all(
        User(id=each.id, email=f"{each.id}@example.com", name=each.name, role=each.role, created_at=unit.now)
        for each in PEOPLE
    )
    await unit.session.flush()


@dataclass
class Model:
    """The same by hand: (author, id) of what stands in each channel, marks, members of the private one."""

    private: str
    said: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    gone: set[int] = field(default_factory=set)
    marks: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))
    members: set[int] = field(default_factory=lambda: {1})

    def sees(self, user_id: int, channel: str) -> bool:
        return channel != self.private or user_id in self.members

    def read(self, user_id: int, channel: str, message_id: int) -> None:
        self.marks[user_id, channel] = max(self.marks[user_id, channel], message_id)

    def unread(self, user_id: int, channel: str) -> int:
        mark = self.marks[user_id, channel]
        news = [number for author, number in self.said[channel] if author != user_id and number > mark]
        return len(set(news) - self.gone)


async def play(unit: Unit, model: Model, step: tuple[Any, ...]) -> None:
    act, who, *rest = step
    if act in {"add", "remove"}:
        unit.actor = ADA
        if act == "add":
            await service.add_member(unit, model.private, who.id)
            if who.id not in model.members and model.said[model.private]:
                model.read(who.id, model.private, model.said[model.private][-1][1])
            model.members.add(who.id)
        elif who.id in model.members:
            await service.remove_member(unit, model.private, who.id)
            model.members.discard(who.id)
        return
    unit.actor = who
    channel = model.private if rest[0] else "general"
    if not model.sees(who.id, channel):
        with pytest.raises(NotFound):
            await messages.say(unit, MessageInput(channel=channel, text="x"))
    elif act == "say":
        view = await messages.say(unit, MessageInput(channel=channel, text="x"))
        model.said[channel].append((who.id, view.id))
    elif model.said[channel]:
        _, message_id = model.said[channel][rest[1] % len(model.said[channel])]
        if act == "delete":
            await messages.delete_message(unit, message_id)
            model.gone.add(message_id)
        else:
            await reading.mark_read(unit, channel, message_id)
            model.read(who.id, channel, message_id)


@settings(
    max_examples=15,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
async def test_unread_is_what_others_have_said_since(database: Database, steps: list[tuple[Any, ...]]) -> None:
    with suppress(UndoError):
        async with database.unit(actor=ADA) as unit:
            await employ(unit)
            private = await service.create_channel(unit, ChannelInput(name="Neubau", is_private=True))
            model = Model(private.id)
            for step in steps:
                await play(unit, model, step)
            for each in PEOPLE:
                assert each.id is not None
                unit.actor = each
                rows, _, total, unread = await service.channels(unit, PageQuery(), is_archived=False)
                expected = {
                    channel: model.unread(each.id, channel)
                    for channel in ("general", model.private)
                    if model.sees(each.id, channel)
                }
                assert {row.id: row.unread for row in rows} == expected
                assert (total, unread) == (len(expected), sum(expected.values()))
                for channel, count in expected.items():
                    assert (await service.channel(unit, channel)).unread == count
            raise UndoError


async def test_who_is_taken_out_while_he_writes_is_heard_before_it_or_not_at_all(database: Database) -> None:
    """Both lock the channel first; afterwards one of them is refused, or was first."""
    published: list[Publication] = []
    database.publisher = published.append
    async with database.unit(actor=ADA) as unit:
        await employ(unit)
    for number in range(6):
        async with database.unit(actor=ADA) as unit:
            private = (await service.create_channel(unit, ChannelInput(name=f"P{number}", is_private=True))).id
            await service.add_member(unit, private, 2)
        published.clear()

        async def write(private: str = private) -> None:
            async with database.unit(actor=BEN) as unit:
                await messages.say(unit, MessageInput(channel=private, text="x"))

        async def take_out(private: str = private) -> None:
            async with database.unit(actor=ADA) as unit:
                await service.remove_member(unit, private, 2)

        acts = (write(), take_out()) if number % 2 else (take_out(), write())
        outcomes = await asyncio.gather(*acts, return_exceptions=True)
        refused = [each for each in outcomes if each is not None]
        assert [type(each) for each in refused] in ([], [NotFound])
        order = [type(each) for each in published]
        assert order == ([Departure] if refused else [Announcement, Departure])


async def test_a_name_that_two_choose_at_once_is_given_once(database: Database) -> None:
    async with database.unit() as unit:
        await employ(unit)

    async def choose(actor: Actor) -> None:
        async with database.unit(actor=actor) as unit:
            await service.create_channel(unit, ChannelInput(name="Lager"))

    outcomes = await asyncio.gather(*map(choose, PEOPLE), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    async with database.unit(actor=ADA, writes=False) as unit:
        rows, *_ = await service.channels(unit, PageQuery(), is_archived=False)
    assert [row.name for row in rows] == ["Lager", "general"]


async def test_the_general_channel_is_never_archived(database: Database) -> None:
    async with database.unit(actor=ADA) as unit:
        await employ(unit)
        with pytest.raises(Conflict, match="stays open"):
            await service.archive_channel(unit, "general", 1)
