"""Both doors of the cache give the same answers: ASGI behind uvicorn's parsers, and the native hit path.

Raw bytes on real sockets. The cases of trap T18 are those that the first prototype failed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from steinmetz.clock import perf_ns
from tests.contract.http_doors import BODY_BYTES, DOORS, House, get

pytestmark = pytest.mark.anyio


@pytest.fixture(params=DOORS)
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    built = House(request.param)
    await built.open()
    yield built
    await built.close()


@pytest.fixture
async def native() -> AsyncIterator[House]:
    built = House("native")
    await built.open()
    yield built
    await built.close()


def seen(house: House) -> int:
    """How many requests came as far as the application."""
    return len(house.company.seen)


class TestAHit:
    async def test_is_given_with_what_is_true_of_this_response_alone(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        for number in (2, 3, 4):
            answer = await peer.ask(get())
            assert (answer.status, answer.cache, answer.body) == (200, "HIT", b"#1")
            assert answer.headers["x-request-id"] == str(number)
            assert answer.headers["date"] == "Mon, 02 Mar 2026 09:00:00 GMT"
            assert answer.headers["cache-status"] == "SteinmetZ; hit; ttl=60"
        assert seen(house) == 1
        assert house.stats() == {"hits": 3, "misses": 1, "bypasses": 0, "notModified": 0}
        assert house.counted.finished == 4
        assert house.state.total_requests == 4

    async def test_tells_its_age_to_the_second_and_ends_in_time(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        ages = []
        for seconds in (0, 0.5, 0.5, 10, 48.5):
            house.clock.advance(seconds)
            answer = await peer.ask(get())
            ages.append((answer.headers["age"], answer.headers["cache-status"][-2:]))
        assert ages == [("0", "60"), ("0", "60"), ("1", "59"), ("11", "49"), ("59", "=1")]
        house.clock.advance(0.5)
        assert (await peer.ask(get())).cache == "MISS"

    async def test_the_servers_date_moves_on(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        await peer.ask(get())
        house.state.default_headers = [(b"date", b"Mon, 02 Mar 2026 09:00:01 GMT")]
        assert (await peer.ask(get())).headers["date"] == "Mon, 02 Mar 2026 09:00:01 GMT"

    async def test_of_head_has_the_header_and_no_body(self, house: House) -> None:
        await house.warm(b"/large")
        peer = await house.peer()
        for _ in range(2):
            answer = await peer.ask(get(b"/large", method=b"HEAD"))
            assert (answer.status, answer.cache) == (200, "HIT")
            assert answer.headers["content-length"] == str(BODY_BYTES + 2)
        assert (await peer.ask(get(b"/large"))).body[-2:] == b"#1"

    async def test_is_304_if_the_client_has_it_already(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        etag = (await peer.ask(get())).headers["etag"].encode()
        for _ in range(2):
            answer = await peer.ask(get(b"/public", b'If-None-Match: "x", W/' + etag))
            assert (answer.status, answer.cache, answer.headers["etag"]) == (304, "HIT", etag.decode())
            assert "content-length" not in answer.headers
        assert house.stats()["notModified"] == 2
        house.hook.commit("invoices")
        assert (await peer.ask(get(b"/public", b"If-None-Match: " + etag))).status == 200

    async def test_is_given_by_the_field_that_selected_it(self, house: House) -> None:
        await house.warm(b"/lingual", b"Accept-Language: de")
        peer = await house.peer()
        german, french = (get(b"/lingual", b"Accept-Language: " + tongue) for tongue in (b"de", b"fr"))
        for _ in range(2):
            assert (await peer.ask(german)).cache == "HIT"
        assert (await peer.ask(french)).cache == "MISS"
        assert (await peer.ask(german)).cache == "MISS"

    async def test_of_paths_and_queries_that_mean_the_same(self, house: House) -> None:
        await house.warm(b"/public?a=1&b=2")
        peer = await house.peer()
        for target in (b"/public?b=2&a=1", b"/p%75blic?a=1&b=2"):
            assert (await peer.ask(get(target))).cache == "HIT"
        assert (await peer.ask(get(b"/public?a=2"))).cache == "MISS"


class TestWhoAsks:
    async def test_answers_of_one_are_never_given_to_another(self, house: House) -> None:
        peer = await house.peer()
        anna, bert = (get(b"/mine", b"Authorization: %b:clerk" % name) for name in (b"anna", b"bert"))
        for request, outcome, body in (
            (anna, "MISS", b"#1"),
            (anna, "HIT", b"#1"),
            (bert, "MISS", b"#2"),
            (anna, "HIT", b"#1"),
            (bert, "HIT", b"#2"),
        ):
            answer = await peer.ask(request)
            assert (answer.cache, answer.body) == (outcome, body)
        assert (await peer.ask(get(b"/mine"))).cache == "BYPASS"
        assert house.counted.admitted == ["anna", "anna", "bert", "anna", "bert"]
        assert house.callers.asked == 2

    async def test_a_role_shares_an_answer(self, house: House) -> None:
        peer = await house.peer()
        who = b"anna:clerk", b"bert:clerk", b"carl:admin", b"bert:clerk"
        outcomes = [(await peer.ask(get(b"/roles", b"Authorization: " + one))).cache for one in who]
        assert outcomes == ["MISS", "HIT", "MISS", "HIT"]

    async def test_t16_a_revoked_login_is_refused_at_its_next_request(self, house: House) -> None:
        peer = await house.peer()
        request = get(b"/mine", b"Authorization: anna:clerk")
        assert [(await peer.ask(request)).cache for _ in range(3)] == ["MISS", "HIT", "HIT"]
        house.callers.refused.add(b"anna:clerk")
        house.hook.commit("sessions")
        answer = await peer.ask(request)
        assert (answer.cache, answer.headers["cache-status"]) == (
            "BYPASS",
            'SteinmetZ; fwd=bypass; detail="credential refused"',
        )

    async def test_an_admission_ends_with_its_credential(self, house: House) -> None:
        peer = await house.peer()
        request = get(b"/mine", b"Authorization: anna:clerk")
        house.callers.lifetime_s = 20
        assert [(await peer.ask(request)).cache for _ in range(2)] == ["MISS", "HIT"]
        house.clock.advance(19.9)
        assert (await peer.ask(request)).cache == "HIT"
        house.clock.advance(0.1)
        house.callers.refused.add(b"anna:clerk")
        assert (await peer.ask(request)).cache == "BYPASS"

    async def test_who_asks_too_much_is_refused_below_asgi_as_well(self, house: House) -> None:
        peer = await house.peer()
        request = get(b"/mine", b"Authorization: anna:clerk")
        assert [(await peer.ask(request)).cache for _ in range(2)] == ["MISS", "HIT"]
        house.is_rejecting = True
        peer.say(request)
        head = await peer.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 500")  # uvicorn's word for what the application raises
        assert house.stats()["hits"] == 1


class TestWhatHasMoved:
    async def test_an_invalidating_commit_between_two_requests_of_one_connection(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        assert [(await peer.ask(get())).body for _ in range(2)] == [b"#1", b"#1"]
        house.hook.commit("invoices")
        assert (await peer.ask(get())).body == b"#2"
        assert (await peer.ask(get())).cache == "HIT"

    async def test_while_a_commit_is_under_way_nothing_it_concerns_is_given(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        assert (await peer.ask(get())).cache == "HIT"
        transaction = house.hook.transaction()
        transaction.write("invoices")
        transaction.mark()
        answer = await peer.ask(get())
        assert (answer.cache, answer.body) == ("MISS", b"#2")
        transaction.unmark()
        assert (await peer.ask(get())).body == b"#1"

    async def test_the_kill_switch(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        assert (await peer.ask(get())).cache == "HIT"
        house.cache.enabled = False
        assert (await peer.ask(get())).cache == "BYPASS"
        house.cache.enabled = True
        assert (await peer.ask(get())).cache == "HIT"

    async def test_what_has_been_let_go_of_is_free(self, native: House) -> None:
        await native.warm(b"/large")
        peer = await native.peer()
        assert (await peer.ask(get(b"/large"))).cache == "HIT"
        (ready,) = native.remembered()
        native.cache.clear()
        assert ready.entry() is None


class TestT18:
    """What must not be decided by the native door, or not by it alone."""

    async def test_connection_close_is_obeyed(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        answer = await peer.ask(get(b"/public", b"Connection: close"))
        assert (answer.cache, answer.headers["connection"]) == ("HIT", "close")
        assert await peer.rest() == b""

    async def test_http_1_0_is_closed_after_its_answer(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        answer = await peer.ask(get(version=b"1.0"))
        assert (answer.cache, answer.body) == ("HIT", b"#1")
        assert await peer.rest() == b""

    async def test_an_idle_connection_is_closed(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        house.protocols[-1].timeout_keep_alive = 0.02
        assert (await peer.ask(get())).cache == "HIT"
        assert await peer.rest() == b""

    async def test_a_connection_with_hits_is_not_idle(
        self, native: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await native.warm()
        peer = await native.peer()
        await peer.ask(get())
        protocol = native.protocols[-1]
        timer = protocol.timeout_keep_alive_task
        now_ns = perf_ns()
        for seconds in (4, 8, 12):
            monkeypatch.setattr("steinmetz.live.native.perf_ns", lambda: now_ns + int(seconds * 1e9))  # noqa: B023
            protocol.timeout_keep_alive = 5
            assert (await peer.ask(get())).cache == "HIT"
            protocol.timeout_keep_alive_handler()
            assert not protocol.transport.is_closing()
            assert protocol.timeout_keep_alive_task is not timer
        monkeypatch.setattr("steinmetz.live.native.perf_ns", lambda: now_ns + int(17.1e9))
        protocol.timeout_keep_alive_handler()
        assert await peer.rest() == b""

    async def test_a_get_with_a_body_reaches_the_application(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        await peer.ask(get())
        answer = await peer.ask(get(b"/public", b"Content-Length: 5") + b"hello")
        assert (answer.status, answer.cache, answer.body) == (200, "BYPASS", b"5 bytes")
        assert (await peer.ask(get())).cache == "HIT"

    async def test_expect_100_continue_is_answered(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        peer.say(get(b"/public", b"Expect: 100-continue", b"Content-Length: 5"))
        assert (await peer.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        assert (await peer.ask(b"hello")).body == b"5 bytes"

    async def test_an_upgrade_is_no_hit(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        await peer.ask(get())
        answer = await peer.ask(get(b"/public", b"Connection: Upgrade", b"Upgrade: h2c"))
        assert (answer.status, answer.cache) == (200, "BYPASS")

    async def test_a_websocket_is_no_hit(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        await peer.ask(get())
        key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        peer.say(get(b"/public", b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13", key))
        assert b"x-cache" not in await peer.reader.readuntil(b"\r\n\r\n")

    @pytest.mark.parametrize("hosts", [0, 2])
    async def test_no_host_or_two_is_a_bad_request(self, house: House, hosts: int) -> None:
        await house.warm()
        peer = await house.peer()
        await peer.ask(get())
        peer.say(b"GET /public HTTP/1.1\r\n", b"Host: a\r\n" * hosts, b"\r\n")
        rest = await peer.rest() if house.door != "httptools" else b"HTTP/1.1 400"  # uvicorn's own leniency
        assert rest.startswith(b"HTTP/1.1 400")

    async def test_a_range_is_cut_from_what_is_kept(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        part = await peer.ask(get(b"/public", b"Range: bytes=0-0"))
        assert (part.cache, part.status, len(part.body)) == ("HIT", 206, 1)

    @pytest.mark.parametrize(
        ("line", "outcome"),
        [
            (b"Cache-Control: no-cache", "MISS"),
            (b"Cache-Control: no-store", "BYPASS"),
            (b"Cache-Control: max-age=0", "MISS"),
            (b"Cache-Control: only-if-cached", "HIT"),
            (b"Cache-Control: max-age=60", "HIT"),
            (b"Pragma: no-cache", "MISS"),
        ],
    )
    async def test_demands_on_a_cache_are_heard(self, house: House, line: bytes, outcome: str) -> None:
        await house.warm()
        peer = await house.peer()
        assert (await peer.ask(get(b"/public", line))).cache == outcome

    async def test_a_whole_url_is_a_target_too(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        answer = await peer.ask(get(b"http://erp.example/public"))
        assert answer.status in {200, 404}
        assert (await peer.ask(get())).cache == "HIT"


class TestHowBytesCome:
    async def test_in_pieces(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        request = get(b"/public", b"Accept: */*")
        for cut in (1, 5, 30, len(request) - 1):
            before = house.received
            peer.say(request[:cut])
            await house.until(lambda: house.received == before + cut)  # noqa: B023
            answer = await peer.ask(request[cut:])
            assert (answer.cache, answer.body) == ("HIT", b"#1")

    async def test_several_at_once_are_answered_in_their_order(self, house: House) -> None:
        await house.warm()
        await house.warm(b"/large")
        peer = await house.peer()
        asked = [b"/public", b"/large", b"/plain", b"/public", b"/none", b"/large", b"/public"]
        peer.say(*(get(path) for path in asked))
        answers = [await peer.answer() for _ in asked]
        assert [answer.body[-9:] for answer in answers] == [
            b"#1", b"xxxxxxx#2", b"plain #3", b"#1", b"0 bytes", b"xxxxxxx#2", b"#1",
        ]  # fmt: skip
        assert [answer.cache for answer in answers] == ["HIT", "HIT", "-", "HIT", "-", "HIT", "HIT"]
        assert house.state.total_requests == 2 + len(asked)

    async def test_a_hit_waits_for_the_answers_before_it(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        gate = house.company.hold()
        peer.say(get(b"/held"))
        await house.company.holding.wait()
        before = house.received
        peer.say(get())
        await house.until(lambda: house.received == before + len(get()))
        gate.set()
        assert (await peer.answer()).body == b"held"
        assert (await peer.answer()).cache == "HIT"

    async def test_the_head_of_one_request_behind_another(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        peer.say(get(), get()[:20])
        assert (await peer.answer()).cache == "HIT"
        assert (await peer.ask(get()[20:])).cache == "HIT"

    async def test_garbage_behind_a_hit_is_refused_and_ends_the_connection(self, native: House) -> None:
        await native.warm()
        peer = await native.peer()
        peer.say(get(), b"\x00garbage\r\n\r\n")
        assert (await peer.answer()).cache == "HIT"
        assert (await peer.rest()).startswith(b"HTTP/1.1 400")

    async def test_empty_lines_before_a_request_are_forgiven(self, house: House) -> None:
        await house.warm()
        peer = await house.peer()
        if house.door == "h11":
            return  # h11 takes none, which RFC 9112, 2.2 allows: "SHOULD ignore at least one empty line"
        peer.say(b"\r\n", get(), b"\r\n", get())
        assert [(await peer.answer()).cache for _ in range(2)] == ["HIT", "HIT"]

    @pytest.mark.parametrize("line", [b"X: a\x00b", b"X : a", b" folded", b"X\xe4: a", b"\tX: a"])
    async def test_what_is_no_header_line_gets_no_hit(self, native: House, line: bytes) -> None:
        await native.warm()
        peer = await native.peer()
        await peer.ask(get())
        peer.say(get(b"/public", line))
        assert (await peer.rest()).startswith(b"HTTP/1.1 400")

    async def test_t19_who_pipelines_and_never_reads_costs_little(self, native: House) -> None:
        await native.warm(b"/large")
        peer = await native.peer()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        protocol = native.protocols[-1]
        peer.say(get(b"/large") * 100_000)
        await native.until(lambda: protocol.flow.read_paused and protocol.flow.write_paused)
        assert protocol.transport.get_write_buffer_size() < 4 * 65_536
        assert len(protocol.pipeline) < 10_000
        assert native.received < 2_000_000

    async def test_the_server_stops_at_its_limits(self, native: House) -> None:
        await native.warm()
        native.protocols.clear()
        peer = await native.peer()
        assert (await peer.ask(get())).cache == "HIT"
        native.protocols[-1].shutdown()
        assert await peer.rest() == b""
        crowded = await native.peer()
        assert (await crowded.ask(get())).cache == "HIT"
        native.protocols[-1].limit_concurrency = 1
        assert (await crowded.ask(get())).status == 503


class TestT20TheMemo:
    async def test_is_bounded_whatever_is_sent(self, native: House) -> None:
        await native.warm()
        (known,) = native.hits.known()
        memo = known.by_bytes
        peer = await native.peer()
        memo.budget_bytes = most = 40_000
        for number in range(200):
            assert (await peer.ask(get(b"/public", b"X-Trace: %d" % number))).cache == "HIT"
            assert memo.weight_bytes <= most
        assert memo.forgotten > 100

    async def test_holds_no_request_that_was_not_answered_by_it(self, native: House) -> None:
        await native.warm()
        peer = await native.peer()
        await peer.ask(get(b"/plain"))
        await peer.ask(get(b"/public", b"Cache-Control: no-cache"))
        peer.say(get(), get())
        await peer.answer()
        await peer.answer()
        assert len(native.remembered()) == 1


class TestT21WhoIsBehindAProxy:
    @pytest.mark.parametrize(
        ("trusted", "expected"), [("127.0.0.1", "192.0.2.7 https"), ("10.0.0.1", "127.0.0.1 http")]
    )
    @pytest.mark.parametrize("door", DOORS)
    async def test_is_believed_only_from_a_trusted_one(self, door: str, trusted: str, expected: str) -> None:
        house = House(door, proxy_headers=True, forwarded_allow_ips=trusted)
        await house.open()
        try:
            await house.warm()
            peer = await house.peer()
            lines = b"X-Forwarded-For: 198.51.100.1, 192.0.2.7", b"X-Forwarded-Proto: https"
            for _ in range(2):
                assert (await peer.ask(get(b"/public", *lines))).cache == "HIT"
            assert house.counted.clients[1:] == [expected, expected]
            assert (await peer.ask(get())).cache == "HIT"
            assert house.counted.clients[-1] == "127.0.0.1 http"
        finally:
            await house.close()

    @pytest.mark.parametrize("door", DOORS)
    async def test_the_root_path_is_not_part_of_a_route(self, door: str) -> None:
        house = House(door, root_path="/erp")
        await house.open()
        try:
            await house.warm()
            peer = await house.peer()
            for _ in range(2):
                assert (await peer.ask(get())).cache == "HIT"
        finally:
            await house.close()
