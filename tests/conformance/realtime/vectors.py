"""Engine.IO 4 and Socket.IO 5 as conversations: what is said, and what must come back.

The behaviours are those of the two protocol documents and of the suites beside them (24 and 32 tests), in our own
words. A conversation is a list of lines; each begins with who speaks or what is expected:

======================  ==============================================================================
``open``                a new polling session; its id is used from there on
``GET query``           a request with a raw query string; then ``= status [body]``
``GET``, ``POST body``  a request of the session; then ``= status [body]``
``begin GET``           a poll that is answered later; ``poll =`` expects its answer
``hang up``             the client drops the poll it has begun
``ws [query]``          a WebSocket with a raw query string; ``ws sid`` joins the session; ``2 ws``: a second
``> text``, ``>> hex``  the client says; ``<`` and ``<<`` the server answers; PINGs show in ``<ping`` only
``x``                   the server closes the WebSocket
``at path``             the endpoint from there on; ``/engine/`` sends back every Engine.IO message
``wait s``              time passes
======================  ==============================================================================

``*`` stands for a Socket.IO id in an answer. The namespace ``/quiet`` does not greet with `auth`.
"""

from __future__ import annotations

NEW = "ws EIO=4&transport=websocket"
IO = (NEW, "<open websocket", "> 40", '< 40{"sid":"*"}', '< 42["auth",{}]')

ENGINE_IO: dict[str, tuple[str, ...]] = {
    "polling: opens a session": ("GET EIO=4&transport=polling", "= 200 open polling"),
    "polling: needs EIO": ("GET transport=polling", "= 400", "GET EIO=abc&transport=polling", "= 400"),
    "polling: refuses EIO 3": ("GET EIO=3&transport=polling", "= 400"),
    "polling: needs a transport": ("GET EIO=4", "= 400", "GET EIO=4&transport=abc", "= 400"),
    "polling: opens on GET only": (
        "POST EIO=4&transport=polling",
        "= 400",
        "PUT EIO=4&transport=polling",
        "= 400",
    ),
    "polling: knows its sessions": ("GET EIO=4&transport=polling&sid=unknown", "= 400"),
    "websocket: opens a session": (NEW, "<open websocket"),
    "websocket: needs EIO": ("ws transport=websocket", "refused", "ws EIO=abc&transport=websocket", "refused"),
    "websocket: needs a transport": ("ws EIO=4", "refused", "ws EIO=4&transport=abc", "refused"),
    "websocket: knows its sessions": ("ws EIO=4&transport=websocket&sid=unknown", "refused"),
    "polling: a payload of one packet": (
        "open",
        "POST 40/quiet,",
        "= 200 ok",
        "GET",
        '= 200 40/quiet,{"sid":"*"}',
    ),
    "polling: a payload of several packets": (
        "open",
        'POST 40/quiet,\x1e42/quiet,["message",1]\x1e42/quiet,["message",2]',
        "= 200 ok",
        "GET",
        '= 200 40/quiet,{"sid":"*"}\x1e42/quiet,["message-back",1]\x1e42/quiet,["message-back",2]',
    ),
    "polling: text and binary": (
        "open",
        'POST 40/quiet,\x1e451-/quiet,["message",{"_placeholder":true,"num":0}]\x1ebAQIDBA==',
        "= 200 ok",
        "GET",
        '= 200 40/quiet,{"sid":"*"}\x1e451-/quiet,["message-back",{"_placeholder":true,"num":0}]\x1ebAQIDBA==',
    ),
    "polling: an invalid packet ends the session": ("open", "POST abc", "= 400", "GET", "= 400"),
    "polling: an invalid base64 ends the session": ("open", "POST bA", "= 400", "GET", "= 400"),
    "polling: a second poll ends the session": (
        "open",
        "begin GET",
        "GET",
        "= 400",
        "poll = 200 1",
        "GET",
        "= 400",
    ),
    "polling: a poll that is hung up ends the session": ("open", "begin GET", "hang up", "GET", "= 400"),
    "polling: CLOSE ends a waiting poll with NOOP": (
        "open",
        "begin GET",
        "POST 1",
        "= 200 ok",
        "poll = 200 6",
        "GET",
        "= 400",
    ),
    "polling: PING and PONG": (
        "open",
        "GET",
        "= 200 2",
        "POST 3",
        "= 200 ok",
        "GET",
        "= 200 2",
        "POST 3",
        "= 200 ok",
    ),
    "polling: no PONG ends the session": ("open", "wait 1.2", "GET", "= 400"),
    "polling: a client's PING goes the wrong way": ("open", "POST 2", "= 200 ok", "GET", "= 400"),
    "websocket: text": (*IO, '> 42["message","hello"]', '< 42["message-back","hello"]'),
    "websocket: binary": (
        *IO,
        '> 451-["message",{"_placeholder":true,"num":0}]',
        ">> 01020304",
        '< 451-["message-back",{"_placeholder":true,"num":0}]',
        "<< 01020304",
    ),
    "websocket: an invalid packet ends the session": (NEW, "<open websocket", "> abc", "x"),
    "websocket: an empty packet ends the session": (NEW, "<open websocket", "> ", "x"),
    "websocket: PING and PONG": (NEW, "<open websocket", "<ping", "> 3", "<ping", "> 3"),
    "websocket: no PONG ends the session": (NEW, "<open websocket", "x"),
    "websocket: CLOSE ends the session": (NEW, "<open websocket", "> 1", "x"),
    "upgrade: from polling to WebSocket": (
        "open",
        "ws sid",
        "> 2probe",
        "< 3probe",
        "GET",
        "= 200 6",
        "> 5",
        "> 40/quiet,",
        '< 40/quiet,{"sid":"*"}',
    ),
    "upgrade: ends a waiting poll": ("open", "begin GET", "ws sid", "> 2probe", "< 3probe", "poll = 200 6"),
    "upgrade: what was queued for the poll comes over the WebSocket": (
        "open",
        "ws sid",
        "> 2probe",
        "< 3probe",
        "POST 40/quiet,",
        "= 200 ok",
        "> 5",
        '< 40/quiet,{"sid":"*"}',
    ),
    "upgrade: HTTP with the same id is refused after it": (
        "open",
        "ws sid",
        "> 2probe",
        "< 3probe",
        "> 5",
        "> 40/quiet,",
        '< 40/quiet,{"sid":"*"}',
        "GET",
        "= 400",
        '> 42/quiet,["message","still here"]',
        '< 42/quiet,["message-back","still here"]',
    ),
    "upgrade: another WebSocket with the same id is closed after it": (
        "open",
        "ws sid",
        "> 2probe",
        "< 3probe",
        "> 5",
        "> 40/quiet,",
        '< 40/quiet,{"sid":"*"}',
        "2 ws sid",
        "x",
    ),
    "upgrade: a probe that says something else is dropped": (
        "open",
        "ws sid",
        "> 2x",
        "x",
        "POST 40/quiet,",
        "= 200 ok",
    ),
}

ECHO: dict[str, tuple[str, ...]] = {
    "polling: a payload of one packet": ("open", "POST 4hello", "= 200 ok", "GET", "= 200 4hello"),
    "polling: a payload of several packets": (
        "open",
        "POST 4test1\x1e4test2\x1e4test3",
        "= 200 ok",
        "GET",
        "= 200 4test1\x1e4test2\x1e4test3",
    ),
    "polling: text and binary": (
        "open",
        "POST 4hello\x1ebAQIDBA==",
        "= 200 ok",
        "GET",
        "= 200 4hello\x1ebAQIDBA==",
    ),
    "polling: a binary packet of no bytes": ("open", "POST b", "= 200 ok", "GET", "= 200 b"),
    "websocket: text": (NEW, "<open websocket", "> 4hello", "< 4hello"),
    "websocket: text that is empty": (NEW, "<open websocket", "> 4", "< 4"),
    "websocket: binary": (NEW, "<open websocket", ">> 01020304", "<< 01020304"),
    "upgrade: a message behind UPGRADE": (
        "open",
        "ws sid",
        "> 2probe",
        "< 3probe",
        "GET",
        "= 200 6",
        "> 5",
        "> 4hello",
        "< 4hello",
    ),
    "upgrade: a message for the poll comes over the WebSocket, once": (
        "open",
        "ws sid",
        "> 2probe",
        "< 3probe",
        "POST 4one",
        "= 200 ok",
        "> 5",
        "> 4two",
        "< 4one",
        "< 4two",
    ),
}

SOCKET_IO: dict[str, tuple[str, ...]] = {
    "connect: to the main namespace": IO,
    "connect: with a payload": (
        NEW,
        "<open websocket",
        '> 40{"token":"123"}',
        '< 40{"sid":"*"}',
        '< 42["auth",{"token":"123"}]',
    ),
    "connect: to another namespace": (
        NEW,
        "<open websocket",
        "> 40/custom,",
        '< 40/custom,{"sid":"*"}',
        '< 42/custom,["auth",{}]',
    ),
    "connect: to another namespace with a payload": (
        NEW,
        "<open websocket",
        '> 40/custom,{"token":"abc"}',
        '< 40/custom,{"sid":"*"}',
        '< 42/custom,["auth",{"token":"abc"}]',
    ),
    "connect: to an unknown namespace": (
        NEW,
        "<open websocket",
        "> 40/random",
        '< 44/random,{"message":"Invalid namespace"}',
    ),
    "connect: an invalid handshake ends the session": (NEW, "<open websocket", "> 4abc", "x"),
    "connect: no handshake ends the session after a while": (NEW, "<open websocket", "pong", "x"),
    "connect: an event before it ends the session": (NEW, "<open websocket", '> 42["message"]', "x"),
    "connect: twice is once": (*IO, "> 40", '> 42["message",1]', '< 42["message-back",1]'),
    "disconnect: from the last namespace keeps the connection": (
        *IO,
        "> 41",
        "<ping",
        "> 3",
        "> 40",
        '< 40{"sid":"*"}',
    ),
    "disconnect: from the last namespace, and no other one, ends the connection in time": (
        *IO,
        "> 41",
        "pong",
        "x",
    ),
    "disconnect: from another namespace": (
        *IO,
        "> 40/custom",
        '< 40/custom,{"sid":"*"}',
        '< 42/custom,["auth",{}]',
        "> 41/custom",
        '> 42["message","to the main namespace"]',
        '< 42["message-back","to the main namespace"]',
    ),
    "message: plain text": (*IO, '> 42["message",1,"2",{"3":[true]}]', '< 42["message-back",1,"2",{"3":[true]}]'),
    "message: attachments": (
        *IO,
        '> 452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
        ">> 010203",
        ">> 040506",
        '< 452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
        "<< 010203",
        "<< 040506",
    ),
    "message: with an acknowledgement": (
        *IO,
        '> 42456["message-with-ack",1,"2",{"3":[false]}]',
        '< 43456[1,"2",{"3":[false]}]',
    ),
    "message: attachments with an acknowledgement": (
        *IO,
        '> 452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
        ">> 010203",
        ">> 040506",
        '< 462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
        "<< 010203",
        "<< 040506",
    ),
    "message: an event nobody handles says so": (
        *IO,
        '> 421["unheard"]',
        '< 431[{"ok":false,"error":{"code":"unknown_event","message":"The server does not handle this event"}}]',
    ),
    "message: an unknown type ends the session": (*IO, "> 4abc", "x"),
    "message: a payload of the wrong kind ends the session": (*IO, "> 42{}", "x"),
    "message: broken JSON ends the session": (*IO, '> 42["message', "x"),
    "message: a reserved name ends the session": (*IO, '> 42["disconnect"]', "x"),
    "message: an acknowledgement without an id ends the session": (*IO, "> 43[]", "x"),
    "message: an acknowledgement that nobody waits for is ignored": (
        *IO,
        "> 4399[]",
        '> 42["message",1]',
        '< 42["message-back",1]',
    ),
    "message: text where an attachment is due ends the session": (
        *IO,
        '> 451-["message",{"_placeholder":true,"num":0}]',
        '> 42["message"]',
        "x",
    ),
    "message: an attachment without a packet ends the session": (*IO, ">> 01", "x"),
    "message: a placeholder out of range ends the session": (
        *IO,
        '> 451-["message",{"_placeholder":true,"num":1}]',
        "x",
    ),
    "message: eleven attachments end the session": (*IO, '> 4511-["message"]', "x"),
    "message: a namespace that was not entered ends the session": (*IO, '> 42/custom,["message"]', "x"),
    "message: CONNECT_ERROR from a client ends the session": (*IO, '> 44{"message":"x"}', "x"),
}
