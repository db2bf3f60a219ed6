"""The ear of a live server: hears what its neighbours commit, and treats it as it treats commits of its own.

It runs on a thread of its own. The event loop may be busy, or may itself be waiting for a neighbour who waits for
us; and the observers it calls are thread-safe anyway, for commits come from any thread.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, assert_never

import structlog

from steinmetz.live.doorbell.messages import (
    Bump,
    Bye,
    Decoder,
    Elsewhere,
    Heard,
    Hello,
    Mark,
    Message,
    MessageError,
    Said,
    Unmark,
    Wrote,
    encode,
)
from steinmetz.live.doorbell.place import SUFFIX, Place, user_of
from steinmetz.sql.effects import WriteSet
from steinmetz.sql.scope import ScopeKind, open_scope
from steinmetz.sql.transaction_observer import HearsOfLosses, TransactionObserver

log = structlog.get_logger("steinmetz.live")

MAX_CALLERS = 64
MAX_MARKS = 1_000
"""Of one caller; one more ends the conversation, and it counts as "anything was written"."""
CHUNK_BYTES = 65_536

_HEARD = encode(Heard())
_ELSEWHERE = encode(Elsewhere())


@dataclass(eq=False, slots=True)
class _Caller:
    """Who rings: its line, what it has marked, and whether it has said who it is."""

    line: socket.socket
    decoder: Decoder = field(default_factory=Decoder)
    marks: dict[int, tuple[WriteSet, object]] = field(default_factory=dict)
    who: str = ""
    is_known: bool = False
    is_elsewhere: bool = False


class _Ended(Exception):  # noqa: N818  it is how a conversation ends, not an error
    """``is_clean``: nothing can have been written that we were not told of."""

    def __init__(self, *, is_clean: bool, reason: str = "") -> None:
        super().__init__(reason)
        self.is_clean = is_clean


class Bell:
    """Listens at ``place`` from `open` to `close`.

    ``observer`` is told of marks, bumps and unmarks as if the commits were ours; ``database`` is the name of the
    database in its write sets. ``schema_changed`` is called before the bump of a write of anything. ``said`` hears
    what neighbours want said. All are called on the bell's thread.

    ``lost`` counts conversations that ended without a proper end, ``refused`` those of strangers and of too many.
    """

    def __init__(
        self,
        place: Place,
        observer: TransactionObserver,
        *,
        database: str = "main",
        schema_changed: Callable[[], None] = lambda: None,
        said: Callable[[Any], None] = lambda body: None,
    ) -> None:
        self.place = place
        self.name = f"{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
        self.heard = 0
        self.lost = 0
        self.refused = 0
        self._observer = observer
        self._anything = WriteSet(unknown=frozenset({database}))
        self._schema_changed = schema_changed
        self._said = said
        self._door: socket.socket | None = None
        self._waker: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._callers: set[_Caller] = set()

    # -- life

    def open(self) -> None:
        """Hang up the bell and listen. Raises `NoPlaceError` or another `OSError` if it cannot be done here."""
        self.place.prepare()
        draft = f".{self.name}"
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            door.setblocking(False)
            with self.place.address(draft) as address:
                door.bind(address)
            (self.place.folder / draft).chmod(0o600)
            door.listen(MAX_CALLERS)
            # Under its name only once it listens: a socket with a name that refuses is dead, and is removed.
            (self.place.folder / draft).rename(self.place.folder / self.name)
        except BaseException:
            door.close()
            (self.place.folder / draft).unlink(missing_ok=True)
            raise
        self._door = door
        self._waker, awaited = socket.socketpair()
        self._thread = threading.Thread(target=self._listen, args=(door, awaited), name="doorbell", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take the bell down; what was marked and not yet told the end of counts as written."""
        thread, self._thread = self._thread, None
        if thread is None or self._waker is None:
            return
        (self.place.folder / self.name).unlink(missing_ok=True)
        self._waker.close()
        thread.join()

    def _listen(self, door: socket.socket, awaited: socket.socket) -> None:
        with selectors.DefaultSelector() as selector, door, awaited:
            selector.register(door, selectors.EVENT_READ, None)
            selector.register(awaited, selectors.EVENT_READ, self)
            while True:
                for key, _ in selector.select():
                    if key.data is self:
                        for caller in list(self._callers):
                            self._hang_up(caller, is_clean=not caller.marks)
                        return
                    if key.data is None:
                        self._answer_door(door, selector)
                    else:
                        self._attend(key.data, selector)

    def _answer_door(self, door: socket.socket, selector: selectors.BaseSelector) -> None:
        try:
            line, _ = door.accept()
        except OSError:  # gone again, or no handles left for now
            return
        user = user_of(line)
        is_stranger = user is not None and user not in {os.geteuid(), 0}
        if is_stranger or len(self._callers) >= MAX_CALLERS:
            self.refused += 1
            line.close()
            if not is_stranger:
                self._doubt("too many")
            return
        line.setblocking(False)
        caller = _Caller(line)
        self._callers.add(caller)
        selector.register(line, selectors.EVENT_READ, caller)

    def _attend(self, caller: _Caller, selector: selectors.BaseSelector) -> None:
        try:
            try:
                received = caller.line.recv(CHUNK_BYTES)
            except BlockingIOError:
                return
            except OSError as error:
                raise _Ended(is_clean=False, reason=type(error).__name__) from None
            if not received:
                # A stranger who looked in and left has told nothing; whoever has said Hello ends with Bye.
                is_clean = not caller.is_known and caller.decoder.is_between_frames
                raise _Ended(is_clean=is_clean, reason="hung up")
            for message in caller.decoder.feed(received):
                self.heard += 1
                self._answer(caller, self._act(caller, message))
        except _Ended as end:
            selector.unregister(caller.line)
            self._hang_up(caller, is_clean=end.is_clean, reason=str(end))
        except Exception as error:  # garbage, or a bug of ours: the thread must go on, and nothing may be missed
            selector.unregister(caller.line)
            reason = str(error) if isinstance(error, MessageError) else repr(error)
            self._hang_up(caller, is_clean=False, reason=reason)

    def _answer(self, caller: _Caller, answer: bytes) -> None:
        try:
            sent = caller.line.send(answer)
        except OSError as error:
            raise _Ended(is_clean=False, reason=type(error).__name__) from None
        if sent < len(answer):
            raise _Ended(is_clean=False, reason="it does not read its answers")

    # -- what is heard

    def _act(self, caller: _Caller, message: Message) -> bytes:
        if caller.is_elsewhere:
            return _ELSEWHERE
        if caller.is_known is isinstance(message, Hello):
            raise MessageError("one Hello comes first")
        match message:
            case Hello(database, who):
                if database != self.place.database:
                    caller.is_elsewhere = True
                    return _ELSEWHERE
                caller.who, caller.is_known = who, True
            case Mark(number, writes):
                if number in caller.marks or len(caller.marks) >= MAX_MARKS:
                    raise MessageError("a mark too many")
                caller.marks[number] = (writes, self._observer.mark(writes))
            case Bump(number):
                writes, token = self._marked(caller, number)
                self._bump(caller.who, writes, token)
            case Unmark(number):
                _, token = self._marked(caller, number)
                self._observer.unmark(token)
            case Wrote(writes):
                self._bump(caller.who, writes, self._observer.mark(writes))
            case Said(body):
                self._said(body)
            case Bye():
                raise _Ended(is_clean=not caller.marks)
            case Heard() | Elsewhere():
                raise MessageError("an answer to nothing")
            case _:
                assert_never(message)
        return _HEARD

    @staticmethod
    def _marked(caller: _Caller, number: int) -> tuple[WriteSet, object]:
        try:
            return caller.marks.pop(number)
        except KeyError:
            raise MessageError("no such mark") from None

    def _bump(self, who: str, writes: WriteSet, token: object, *, lost: bool = False) -> None:
        observer = self._observer
        with open_scope(ScopeKind.COMMAND, who or "a neighbour"):
            try:
                if writes.unknown:
                    self._schema_changed()  # before the bump: what is learnt from now on is of the new schema
            finally:
                if lost and isinstance(observer, HearsOfLosses):
                    observer.lost(token)
                else:
                    observer.bump(token)

    def _hang_up(self, caller: _Caller, *, is_clean: bool, reason: str = "") -> None:
        """The conversation is over. If it broke off, anything may have been written before or after.

        A writer that was killed after it had sent COMMIT is gone before the server has committed: what it had
        marked is lost, and not bumped.
        """
        caller.line.close()
        self._callers.discard(caller)
        # Who writes another database goes at the first answer, and does not wait for the others.
        is_clean = is_clean or caller.is_elsewhere
        marks, caller.marks = caller.marks, {}
        for writes, token in marks.values():
            with contextlib.suppress(Exception):
                self._bump(caller.who, writes, token, lost=not is_clean)
        if not is_clean:
            self.lost += 1
            self._doubt(reason, caller.who)

    def _doubt(self, reason: str, who: str = "") -> None:
        """Somebody may write and cannot tell: a writer who is cut off knocks again after his COMMIT."""
        log.warning(
            "A writer's line to this server broke off: it counts as if anything had been written",
            writer=who or "unknown",
            reason=reason,
        )
        try:
            self._bump(who, self._anything, self._observer.mark(self._anything))
        except Exception as error:
            log.error("An observer of neighbours' commits failed", error=type(error).__name__, exc_info=error)
