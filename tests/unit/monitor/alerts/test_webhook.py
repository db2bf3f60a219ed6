"""Alerts by webhook: signed, in order, retried, bounded."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import structlog

from steinmetz.clock import FakeClock
from steinmetz.monitor import QueryMonitor
from steinmetz.monitor.alerts.webhook import QUEUE_LIMIT, RETRY_AFTER_S, Webhook, signing_key

pytestmark = pytest.mark.anyio

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()
URL = "https://hooks.example.com/T0/s3cret-path"


class Receiver:
    """Answers each attempt with the next status; None is no answer."""

    def __init__(self, *statuses: int | None) -> None:
        self.statuses = list(statuses)
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.waited: list[float] = []

    def post(self, url: str, headers: dict[str, str], body: bytes) -> int:
        self.requests.append((url, headers, body))
        status = self.statuses.pop(0) if self.statuses else 200
        if status is None:
            raise ConnectionRefusedError(f"cannot reach {url}")
        return status

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def delivered(receiver: Receiver, alerts: int = 1) -> Webhook:
    monitor = QueryMonitor(FakeClock())
    webhook = Webhook(URL, SECRET, FakeClock(), post=receiver.post, sleep=receiver.sleep)
    webhook.start(monitor.alerts)
    for number in range(alerts):
        monitor.alerts.plan_regressed(f"query {number}", 1, 2)
    await until(lambda: webhook.delivered + webhook.failed == alerts)
    await webhook.stop()
    return webhook


async def test_an_alert_is_signed_as_the_standard_says() -> None:
    receiver = Receiver()
    await delivered(receiver)
    ((url, headers, body),) = receiver.requests
    assert url == URL
    said = json.loads(body)
    assert said["type"] == "alert.raised"
    assert said["data"]["kind"] == "plan_regressed"
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(b"0123456789abcdef", signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == str(int(FakeClock().now().timestamp()))


async def test_it_is_tried_again_with_the_same_id() -> None:
    receiver = Receiver(500, None, 429, 204)
    webhook = await delivered(receiver)
    assert (webhook.delivered, webhook.failed) == (1, 0)
    assert receiver.waited == [*RETRY_AFTER_S[:3]]
    assert len({headers["webhook-id"] for _, headers, _ in receiver.requests}) == 1


async def test_a_refusal_ends_the_attempts_and_shows_no_address() -> None:
    receiver = Receiver(404)
    with structlog.testing.capture_logs() as logs:
        webhook = await delivered(receiver)
    assert (webhook.failed, len(receiver.requests)) == (1, 1)
    assert logs[-1]["why"] == "refused with status 404"
    assert "s3cret" not in str(logs)
    assert "s3cret" not in repr(webhook)


async def test_it_gives_up_in_the_end_and_goes_on_with_the_next() -> None:
    receiver = Receiver(*[None] * 6, 200)
    with structlog.testing.capture_logs() as logs:
        webhook = await delivered(receiver, alerts=2)
    assert (webhook.failed, webhook.delivered) == (1, 1)
    assert "s3cret" not in str(logs)


async def test_the_queue_is_bounded() -> None:
    gate = asyncio.Event()
    receiver = Receiver(500)

    async def wait(_: float) -> None:
        await gate.wait()

    monitor = QueryMonitor(FakeClock())
    webhook = Webhook(URL, SECRET, FakeClock(), post=receiver.post, sleep=wait)
    webhook.start(monitor.alerts)
    monitor.alerts.plan_regressed("the first", 1, 2)
    await until(lambda: len(receiver.requests) == 1)
    for number in range(QUEUE_LIMIT + 5):
        monitor.alerts.plan_regressed(f"query {number}", 1, 2)
    await until(lambda: webhook.dropped == 5)
    gate.set()
    await until(lambda: webhook.delivered == QUEUE_LIMIT + 1)
    await webhook.stop()
    assert json.loads(receiver.requests[2][2])["data"]["subject"] == "query 5"
    monitor.alerts.plan_regressed("after the end", 1, 2)
    assert webhook.dropped == 5  # it does not listen any more


@pytest.mark.parametrize("url", ["ftp://x", "hooks.example.com", "https://", "https://host:port/", ""])
def test_an_address_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="a webhook's address begins with https://"):
        Webhook(url, SECRET, FakeClock())


@pytest.mark.parametrize("secret", ["short", "whsec_###", "whsec_AAAA", ""])
def test_a_weak_secret_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="webhook's secret"):
        signing_key(secret)


async def test_it_speaks_http_and_follows_no_redirect() -> None:
    received: list[tuple[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
            self.send_response(302 if len(received) == 1 else 200)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        monitor = QueryMonitor(FakeClock())
        receiver = Receiver()
        url = f"http://127.0.0.1:{server.server_port}/hook?key=1"
        webhook = Webhook(url, SECRET, FakeClock(), sleep=receiver.sleep)
        webhook.start(monitor.alerts)
        monitor.alerts.plan_regressed("query", 1, 2)
        async with asyncio.timeout(20):
            while not webhook.delivered:
                await asyncio.sleep(0.005)
        await webhook.stop()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert [path for path, _ in received] == ["/hook?key=1", "/hook?key=1"]
