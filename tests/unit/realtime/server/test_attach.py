"""One call that gives an application its realtime server."""

from __future__ import annotations

import pytest

from steinmetz.realtime import Config, init_websocket_server


class Application:
    """As much of Starlette as mounting needs."""

    def __init__(self) -> None:
        self.mounted: dict[str, object] = {}

    def mount(self, path: str, app: object) -> None:
        self.mounted[path] = app


def test_it_is_mounted_at_its_path() -> None:
    app = Application()
    io = init_websocket_server(app, Config(path="/ws/"))
    assert app.mounted == {"/ws": io.asgi}


def test_an_application_that_cannot_mount_is_told_what_to_do() -> None:
    with pytest.raises(TypeError, match="RealtimeApp"):
        init_websocket_server(object())


def test_it_works_below_starlette() -> None:
    starlette = pytest.importorskip("starlette.applications", reason="the ERP's extra brings it")
    testclient = pytest.importorskip("starlette.testclient", reason="the ERP's extra brings it")
    app = starlette.Starlette()
    init_websocket_server(app, Config(require_auth=False))
    with testclient.TestClient(app) as http:
        assert http.get("/socket.io/?EIO=4&transport=polling").text.startswith("0{")
        with http.websocket_connect("/socket.io/?EIO=4&transport=websocket") as websocket:
            assert websocket.receive_text().startswith("0{")
            websocket.send_text("40")
            assert websocket.receive_text().startswith("40{")
