"""Which namespaces there are, and for how long."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from steinmetz.clock import FakeClock
from steinmetz.realtime import Config, ConnectError, ConnectionStateRecovery, Namespace, Server, Socket
from steinmetz.realtime.testing import InProcessClient, connect
from tests.unit.realtime.server.asgi_driver import turns

pytestmark = pytest.mark.anyio

DOCUMENT = re.compile(r"/document-\d+")


class TestPatterns:
    async def test_a_client_calls_the_namespace_into_being(self, io: Server) -> None:
        documents = io.of(DOCUMENT)
        documents.on("where", lambda socket: socket.namespace.name)
        async with connect(io, namespace="/document-1") as one, connect(io, namespace="/document-2") as two:
            assert (await one.call("where"), await two.call("where")) == ("/document-1", "/document-2")
            assert set(documents.children) == {"/document-1", "/document-2"}
            io.of("/document-1").emit("x")
            await one.heard("x")
            assert two.events == []

    @pytest.mark.parametrize("name", ["/document-", "/document-1x", "/x/document-1", "/document-1\n", "/other"])
    async def test_the_whole_name_has_to_match(self, io: Server, name: str) -> None:
        io.of(DOCUMENT)
        with pytest.raises(ConnectError, match="Invalid namespace"):
            async with connect(io, namespace=name):
                pass

    async def test_of_several_rules_that_fit_the_first_counts(self, io: Server) -> None:
        first, second = io.of(DOCUMENT), io.of(re.compile("/.*"))
        async with connect(io, namespace="/document-1"), connect(io, namespace="/else"):
            assert (list(first.children), list(second.children)) == (["/document-1"], ["/else"])

    async def test_a_name_that_was_said_outright_goes_before_all_rules(self, io: Server) -> None:
        io.of("/document-1").on("who", lambda socket: "static")
        io.of(DOCUMENT).on("who", lambda socket: "dynamic")
        async with connect(io, namespace="/document-1") as one, connect(io, namespace="/document-2") as two:
            assert (await one.call("who"), await two.call("who")) == ("static", "dynamic")

    async def test_a_name_that_fits_is_a_child_whoever_says_it(self, io: Server) -> None:
        documents = io.of(DOCUMENT)
        assert io.of("/document-7").parent is documents
        assert io.of("/other").parent is None


class TestFunctions:
    async def test_they_see_the_name_and_what_the_client_shows(self, io: Server) -> None:
        io.of(lambda name, auth: name == f"/user-{auth.get('user')}")
        async with connect(io, namespace="/user-5", auth={"user": 5}):
            with pytest.raises(ConnectError, match="Invalid namespace"):
                async with connect(io, namespace="/user-6", auth={"user": 5}):
                    pass

    async def test_that_somebody_is_in_there_already_lets_nobody_else_in(self, io: Server) -> None:
        io.of(lambda name, auth: name == f"/user-{auth.get('user')}")
        async with connect(io, namespace="/user-5", auth={"user": 5}):
            with pytest.raises(ConnectError, match="Invalid namespace"):
                async with connect(io, namespace="/user-5", auth={"user": 6}):
                    pass

    async def test_one_that_fails_has_no_such_namespace(self, io: Server) -> None:
        def rule(name: str, auth: dict[str, str]) -> bool:
            raise KeyError("a secret")

        io.of(rule)
        with structlog.testing.capture_logs() as logs, pytest.raises(ConnectError, match="Invalid namespace"):
            async with connect(io, namespace="/x"):
                pass
        assert [line["error"] for line in logs] == ["KeyError"]
        assert "a secret" not in repr(logs)

    async def test_only_true_is_yes(self, io: Server) -> None:
        io.of(lambda name, auth: "yes")  # type: ignore[arg-type, return-value]
        with pytest.raises(ConnectError):
            async with connect(io, namespace="/x"):
                pass

    def test_what_has_to_be_awaited_belongs_in_a_middleware(self) -> None:
        async def rule(name: str, auth: dict[str, str]) -> bool:
            return True

        with pytest.raises(TypeError, match=r"use\(\)"):
            Server().of(rule)  # type: ignore[call-overload]


class TestLifeOfChildren:
    async def test_it_ends_with_its_last_socket(self, io: Server) -> None:
        documents = io.of(DOCUMENT)
        async with connect(io, namespace="/document-1") as one, connect(io, namespace="/document-1"):
            await one.disconnect()
            assert list(documents.children) == ["/document-1"]
        assert not documents.children
        assert [namespace.name for namespace in io.namespaces()] == ["/"]

    async def test_one_that_the_application_uses_stays(self, io: Server) -> None:
        documents = io.of(DOCUMENT)
        async with connect(io, namespace="/document-1"):
            kept = io.of("/document-1")
        assert documents.children["/document-1"] is kept
        async with connect(io, namespace="/document-1"):
            assert len(kept.sockets) == 1

    async def test_it_does_not_outlive_a_refusal(self, io: Server) -> None:
        documents = io.of(DOCUMENT)

        @documents.use
        async def refuse(socket: Socket) -> None:
            raise ConnectError("No")

        with pytest.raises(ConnectError, match="No"):
            async with connect(io, namespace="/document-1"):
                pass
        await asyncio.sleep(0)
        assert not documents.children

    async def test_nor_a_missing_middleware(self, clock: FakeClock) -> None:
        io = Server(clock=clock)
        documents = io.of(DOCUMENT)
        with pytest.raises(ConnectError, match="Authentication required"):
            async with connect(io, namespace="/document-1"):
                pass
        await asyncio.sleep(0)
        assert not documents.children
        await io.shutdown()

    async def test_it_does_not_end_while_somebody_is_at_the_door(self, io: Server) -> None:
        documents = io.of(DOCUMENT)
        gate = asyncio.Event()

        @documents.use
        async def wait(socket: Socket) -> None:
            if socket.handshake.auth.get("slow"):
                await gate.wait()

        async def come_slowly() -> Namespace:
            async with connect(io, namespace="/document-1", auth={"slow": True}) as slow:
                return io._namespaces["/document-1"].sockets[slow.id or ""].namespace

        async with connect(io, namespace="/document-1"):
            [before] = documents.children.values()
            coming = asyncio.create_task(come_slowly())
            await turns()
        assert list(documents.children.values()) == [before]
        gate.set()
        assert await coming is before
        await asyncio.sleep(0)
        assert not documents.children

    async def test_clients_cannot_make_any_number(self, clock: FakeClock) -> None:
        io = Server(Config(require_auth=False, max_child_namespaces=2), clock=clock)
        io.of(re.compile("/.+"))
        async with connect(io, namespace="/1"), connect(io, namespace="/2"):
            with pytest.raises(ConnectError, match="Invalid namespace"):
                async with connect(io, namespace="/3"):
                    pass
            assert io.statistics.refused["Too many namespaces"] == 1
        async with connect(io, namespace="/3"):
            pass
        await io.shutdown()


class TestNews:
    async def test_each_new_namespace_is_told_before_anybody_is_in_it(self, io: Server) -> None:
        told: list[tuple[str, int]] = []

        @io.on("new_namespace")
        def guard(namespace: Namespace) -> None:
            told.append((namespace.name, len(namespace.sockets)))
            namespace.use(lambda socket: socket.join("everybody"))

        io.of("/static")
        io.of(DOCUMENT)
        async with connect(io, namespace="/document-1"):
            assert io.of("/document-1").has_members("everybody")
        assert told == [("/static", 0), ("/document-1", 0)]


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["come", "knock", "admit", "refuse", "leave", "drop", "keep"]), st.integers(0, 2)
        ),
        max_size=15,
    )
)
def test_whatever_happens_there_are_just_the_children_that_somebody_uses(steps: list[tuple[str, int]]) -> None:
    asyncio.run(_live(steps))


async def _live(steps: list[tuple[str, int]]) -> None:
    io = Server(Config(require_auth=False), clock=FakeClock())
    parent = io.of(re.compile(r"/\d"))
    doors: list[tuple[str, asyncio.Future[bool], asyncio.Task[None]]] = []
    kept: set[str] = set()

    @parent.use
    async def door(socket: Socket) -> None:
        if (number := socket.handshake.auth.get("door")) is not None and not await doors[number][1]:
            raise ConnectError("No")

    async with AsyncExitStack() as stack:
        inside: list[tuple[str, InProcessClient]] = []

        async def come(name: str, auth: dict[str, int]) -> None:
            with contextlib.suppress(ConnectError):
                inside.append((name, await stack.enter_async_context(connect(io, namespace=name, auth=auth))))

        for what, number in steps:
            name = f"/{number}"
            waiting = [found for found in doors if not found[1].done()]
            if what == "come":
                await come(name, {})
            elif what == "knock":
                answer = asyncio.get_running_loop().create_future()
                knocking = asyncio.create_task(come(name, {"door": len(doors)}))
                doors.append((name, answer, knocking))
            elif what == "keep":
                io.of(name)
                kept.add(name)
            elif what in ("leave", "drop") and inside:
                _, client = inside.pop(number % len(inside))
                await client.disconnect() if what == "leave" else client.drop()
            elif what in ("admit", "refuse") and waiting:
                _, answer, knocking = waiting[number % len(waiting)]
                answer.set_result(what == "admit")
                await knocking
            for _ in range(5):
                await asyncio.sleep(0)
            outside = {name for name, answer, _ in doors if not answer.done()}
            assert set(parent.children) == kept | outside | {name for name, _ in inside}
            assert all(io.namespace(name, {}) is child for name, child in parent.children.items())
        for _, answer, knocking in doors:
            if not answer.done():
                answer.set_result(False)
            await knocking
    await io.shutdown()


async def test_what_was_said_in_namespaces_that_have_ended_still_counts(io: Server) -> None:
    io.of(DOCUMENT)
    async with connect(io, namespace="/document-1") as one:
        io.of(DOCUMENT)
        [socket] = io.namespaces()[1].sockets.values()
        socket.emit("x")
        await one.heard("x")
        before = io.stats()["traffic"]
        assert before["deliveries"] == 1
    await asyncio.sleep(0)
    assert len(io.namespaces()) == 1
    after = io.stats()["traffic"]
    assert (after["deliveries"], after["bytesOut"]) == (before["deliveries"], before["bytesOut"])


class TestWhoIsAway:
    """A child lives on for those who may come back to it, as long as they may."""

    @pytest.fixture
    async def io(self, clock: FakeClock) -> AsyncIterator[Server]:
        config = Config(
            require_auth=False, connection_state_recovery=ConnectionStateRecovery(), max_child_namespaces=2
        )
        server = Server(config, clock=clock)
        server.of(DOCUMENT)
        await server.start()
        yield server
        await server.shutdown()

    async def test_is_recovered_though_nobody_else_was_there(self, io: Server) -> None:
        async with connect(io, namespace="/document-1") as anna:
            anna.drop()
            io.namespaces()[1].emit("n", 1)
            async with connect(io, namespace="/document-1", resume=anna) as again:
                assert await again.heard("n") == [1]
                assert again.recovered
        assert len(io.namespaces()) == 1

    async def test_ends_with_his_time(self, io: Server, clock: FakeClock) -> None:
        async with connect(io, namespace="/document-1") as anna, connect(io, namespace="/document-1") as ben:
            anna.drop()
            clock.advance(60)
            ben.drop()
        for seconds, left in ((0, 2), (61, 2), (60, 1)):
            clock.advance(seconds)
            io.wheel.run_due()
            assert len(io.namespaces()) == left

    async def test_gives_way_to_who_is_here(self, io: Server) -> None:
        async with connect(io, namespace="/document-1") as anna, connect(io, namespace="/document-2") as ben:
            anna.drop()
            async with connect(io, namespace="/document-3"):
                assert [each.name for each in io.namespaces()[1:]] == ["/document-2", "/document-3"]
                with pytest.raises(ConnectError, match="Invalid namespace"):
                    async with connect(io, namespace="/document-4"):
                        pass
            assert ben.disconnect_reason is None
