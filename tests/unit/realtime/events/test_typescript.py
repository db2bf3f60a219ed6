"""TypeScript types of events. That the stock client compiles with them is shown with the compiler, elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

import pytest
from pydantic import BaseModel, RootModel

from steinmetz.realtime import Config, Event, Server
from steinmetz.realtime.events import Done, typescript


class Message(TypedDict):
    """Something that was said ``once``.

    More is nobody's business.
    """

    text: str
    edited: NotRequired[bool | None]


@dataclass
class Everything:
    tags: list[Literal["it's", 5] | None]
    pair: dict[str, list[int]]
    raw: bytes
    unknown: Any
    nested: list[Message]


class Point(RootModel[tuple[int, str]]):
    pass


class Odd(BaseModel):
    data: dict[str, Any]
    point: Point
    deep: dict[str, dict[str, float]]


def told(*sent: Event, received: tuple[Event, ...] = (), **options: str) -> str:
    namespace = Server(Config()).of("/n")
    namespace.declare(*sent)
    for event in received:
        namespace.on(event, lambda *args: None)
    return typescript(namespace.events, **options)


def test_an_event_of_each_direction() -> None:
    text = told(
        Event("chat:message", Message, about="It was said"),
        received=(Event("say", Message, ack=Done), Event("stop")),
        head="Made.",
    )
    assert (
        text
        == """\
/** Made. */

/** Why not. `retryAfterMs`: the same may be sent again then. */
export interface Complaint {
  code: string;
  message: string;
  fields?: FieldFlaw[];
  retryAfterMs?: number;
}

/** The acknowledgement of what has nothing to say but that it was done. */
export interface Done {
  ok: true;
}

export interface FieldFlaw {
  field: string;
  message: string;
}

/** Something that was said `once`. */
export interface Message {
  text: string;
  edited?: boolean | null;
}

/** What any acknowledgement may be instead: the event was not handled. */
export interface Refusal {
  ok: false;
  error: Complaint;
}

export interface ServerToClientEvents {
  /** It was said */
  'chat:message': (payload: Message) => void;
}

export interface ClientToServerEvents {
  'say': (payload: Message, ack: (answer: Done | Refusal) => void) => void;
  'stop': () => void;
}
"""
    )


def test_what_the_server_asks_is_acknowledged_by_a_listener() -> None:
    text = told(Event("ask", str, ack=Message))
    assert "'ask': (payload: string, ack?: (answer: Message) => void) => void;" in text


def test_the_two_interfaces_of_another_namespace_have_names_of_their_own() -> None:
    text = told(prefix="Admin")
    assert "export interface AdminServerToClientEvents {\n}" in text
    assert "export interface AdminClientToServerEvents {\n}" in text


@pytest.mark.parametrize(
    ("payload", "line"),
    [
        (Everything, "  tags: ('it\\'s' | 5 | null)[];"),
        (Everything, "  pair: Record<string, number[]>;"),
        (Everything, "  raw: ArrayBuffer;"),
        (Everything, "  unknown: unknown;"),
        (Everything, "  nested: Message[];"),
        (Odd, "  data: Record<string, unknown>;"),
        (Odd, "  point: Point;"),
        (Odd, "  deep: Record<string, Record<string, number>>;"),
        (Odd, "export type Point = [number, string];"),
        (dict, "  'x': (payload: Record<string, unknown>) => void;"),
        (Any, "  'x': (payload: unknown) => void;"),
        (int | list, "  'x': (payload: number | unknown[]) => void;"),
    ],
)
def test_every_kind_of_value_has_its_type(payload: Any, line: str) -> None:
    assert line in told(Event("x", payload)).splitlines()


@pytest.mark.parametrize("name", ["*/ evil", "it's", 'a"b', "a\\b"])
def test_a_name_is_never_more_than_a_name(name: str) -> None:
    text = told(Event(name, str, about="*/ evil();"))
    assert text.count("*/") - text.count("/**") == (1 if "*/" in name else 0)
    assert f"  {_quoted(name)}: (payload: string) => void;" in text.splitlines()


def _quoted(name: str) -> str:
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"
