"""Sessions as bytes."""

from __future__ import annotations

from steinmetz.realtime.recovery.sessions import decode_session, encode_session
from steinmetz.realtime.socketio.recovery import History, Session


def test_of_the_data_only_what_json_can_say_is_kept() -> None:
    data = {"cart": [1, 2], "lock": object(), 7: "a name that is no text", None: 1}
    history = History({"red": 3}, [("blue", 1, 2)], 1)
    session = Session("sid", "epoch", "anna", 1, 5, history, granted=("red",), data=data)  # type: ignore[arg-type]
    kept = decode_session(encode_session(session))
    assert kept.data == {"cart": [1, 2]}
    assert (kept.sid, kept.subject, kept.history, kept.granted) == ("sid", "anna", history, ("red",))
