"""Alerts to a webhook: signed as Standard Webhooks (https://www.standardwebhooks.com) says, and retried.

Headers: ``webhook-id`` (equal for every attempt, so that a repetition is known as one), ``webhook-timestamp``
(Unix seconds) and ``webhook-signature``: ``v1,`` and the Base64 of HMAC-SHA256 over ``id.timestamp.body``.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import http.client
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson
import structlog

from steinmetz.clock import Clock
from steinmetz.monitor.alerts.watch import Alerts
from steinmetz.monitor.analysis.alerting import Alert
from steinmetz.tasks import Tasks

log = structlog.get_logger("steinmetz.monitor")

QUEUE_LIMIT = 100
TIMEOUT_S = 10.0
RETRY_AFTER_S = (1.0, 5.0, 30.0, 120.0, 600.0)
"""How long to wait after each failed attempt; after the last one the message is given up."""

Post = Callable[[str, dict[str, str], bytes], int]
"""Sends a body and returns the HTTP status; raises `OSError` if there is no answer."""


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    body: bytes


class Webhook:
    """Delivers alerts to one address, in their order, without ever holding up who raised them.

    ``secret`` is ``whsec_`` and Base64, as the standard has it, or any text of at least 16 characters. At most
    100 messages wait; of more, the oldest are dropped and counted. A 4xx answer other than 408 and 429 ends the
    attempts for that message.

    Raises `ValueError` for an address that is not http(s), or a secret that is too short.
    """

    def __init__(
        self,
        url: str,
        secret: str,
        clock: Clock,
        *,
        post: Post | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        check_target(url)
        self._url = url
        self._key = signing_key(secret)
        self._clock = clock
        self._post = post or _post
        self._sleep = sleep
        self._waiting: deque[Message] = deque()
        self._arrived = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: Tasks | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self.delivered = 0
        self.dropped = 0
        self.failed = 0

    def __repr__(self) -> str:
        return f"<Webhook {urlsplit(self._url).hostname}>"  # neither the path nor the query, which may be secret

    def send(self, alert: Alert) -> None:
        """Queue an alert; from any thread, waits for nothing."""
        kind = "alert.raised" if alert.is_active else "alert.resolved"
        said = alert.as_json()
        body = orjson.dumps({"type": kind, "timestamp": said["at"], "data": said})
        message = Message(f"{kind}:{alert.id}", body)
        loop = self._loop
        if loop is None or loop.is_closed():
            self.dropped += 1
            return
        loop.call_soon_threadsafe(self._queue, message)

    def _queue(self, message: Message) -> None:
        if len(self._waiting) >= QUEUE_LIMIT:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(message)
        self._arrived.set()

    def start(self, alerts: Alerts) -> None:
        """Deliver what ``alerts`` says on the running loop, until `stop`."""
        if self._tasks is None:
            self._unsubscribe = alerts.on_alert(self.send)
            self._loop = asyncio.get_running_loop()
            self._tasks = Tasks("webhook")
            self._tasks.spawn("deliver", self._deliver_all())

    async def stop(self) -> None:
        """End; what still waits is dropped and counted."""
        tasks, self._tasks, self._loop = self._tasks, None, None
        if tasks is not None:
            self._unsubscribe()
            await tasks.aclose()
            self.dropped += len(self._waiting)
            self._waiting.clear()

    async def _deliver_all(self) -> None:
        while True:
            while not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
            await self._deliver(self._waiting.popleft())

    async def _deliver(self, message: Message) -> None:
        for wait_s in (*RETRY_AFTER_S, None):
            problem = await self._attempt(message)
            if problem is None:
                self.delivered += 1
                return
            if wait_s is None or problem.startswith("refused"):
                break
            await self._sleep(wait_s)
        self.failed += 1
        log.warning(
            "An alert could not be delivered to the webhook", host=urlsplit(self._url).hostname, why=problem
        )

    async def _attempt(self, message: Message) -> str | None:
        """Send once; None, or what went wrong ("refused" if it is of no use to try again)."""
        headers = signed_headers(self._key, message.id, int(self._clock.now().timestamp()), message.body)
        try:
            status = await asyncio.to_thread(self._post, self._url, headers, message.body)
        except (OSError, http.client.HTTPException) as error:
            return f"no answer: {type(error).__name__}"
        if 200 <= status < 300:
            return None
        if 400 <= status < 500 and status not in (408, 429):
            return f"refused with status {status}"
        return f"status {status}"


def check_target(url: str) -> None:
    """Raises `ValueError` for an address that no webhook can have; the message does not show it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # for a port that is no number
        usable = False
    if not usable:
        raise ValueError("a webhook's address begins with https:// or http:// and names a host")


def signing_key(secret: str) -> bytes:
    """The bytes that sign. Raises `ValueError` for a secret that is too short or no Base64."""
    if secret.startswith("whsec_"):
        try:
            key = base64.b64decode(secret[6:], validate=True)
        except ValueError:
            raise ValueError("what follows whsec_ in a webhook's secret is Base64") from None
    else:
        key = secret.encode()
    if len(key) < 16:
        raise ValueError("a webhook's secret has at least 16 bytes")
    return key


def signed_headers(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    signature = hmac.new(key, f"{message_id}.{timestamp_s}.".encode() + body, hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def _post(url: str, headers: dict[str, str], body: bytes) -> int:
    """One request on a connection of its own; redirects are not followed, the answer's body is not read."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT_S)
    try:
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request("POST", path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()
