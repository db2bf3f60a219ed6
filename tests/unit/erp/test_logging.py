from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from steinmetz.erp.logging import CURRENT_REQUEST, configure_logging, hide_secrets

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    logging.getLogger("uvicorn.access").disabled = False
    structlog.reset_defaults()


def lines(capsys: Capture) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_lines_are_json_with_msg_level_and_timestamp(capsys: Capture) -> None:
    configure_logging("info", "json")
    structlog.get_logger("any").warning("Slow query detected", queryName="q", executionTime=120.5, threshold=100)
    (line,) = lines(capsys)
    assert set(line) == {"msg", "level", "timestamp", "queryName", "executionTime", "threshold"}
    assert (line["msg"], line["level"]) == ("Slow query detected", "warning")
    assert str(line["timestamp"]).endswith("Z")


def test_the_standard_library_takes_the_same_way(capsys: Capture) -> None:
    configure_logging("info", "json")
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    logging.getLogger("uvicorn.access").info("GET / 200")
    logging.getLogger("sqlalchemy.engine").info("SELECT 1")
    (line,) = lines(capsys)
    assert (line["msg"], line["logger"], line["level"]) == ("Started server process [7]", "uvicorn.error", "info")


def test_what_is_below_the_level_is_not_written(capsys: Capture) -> None:
    configure_logging("warning", "json")
    structlog.get_logger("any").info("quiet")
    logging.getLogger("any").info("quiet")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("style", ["json", "text"])
def test_no_secret_gets_into_the_log(capsys: Capture, style: str) -> None:
    configure_logging("info", style)
    secret = "hunter2-hunter2"
    log = structlog.get_logger("any")
    log.info("a", password=secret, access_token=secret, headers={"Authorization": secret, "Cookie": secret})

    def fail() -> None:
        local_secret = secret
        raise LookupError(len(local_secret))

    try:
        fail()
    except LookupError as error:
        log.error("b", exc_info=error)
    written = capsys.readouterr().err
    assert secret not in written
    assert "LookupError" in written
    assert "\x1b[" not in written, "no colours where there is no terminal"


def test_hiding_leaves_the_callers_mapping_alone() -> None:
    headers = {"Cookie": "x", "Accept": "y"}
    assert hide_secrets(None, "info", {"headers": headers}) == {"headers": {"Cookie": "…", "Accept": "y"}}
    assert headers["Cookie"] == "x"


FORGED = 'x"\n{"msg":"forged"}\r\x1b[2J\u2028\u202eevil\ud800'


@pytest.mark.parametrize("style", ["json", "text"])
def test_nobody_writes_a_line_of_his_own(capsys: Capture, style: str) -> None:
    configure_logging("info", style)
    log = structlog.get_logger("any")
    log.info("Request", path=FORGED, nested=[FORGED], parameters={"q": FORGED})
    logging.getLogger("any").warning("said %s", FORGED)
    written = capsys.readouterr().err
    assert len(written.splitlines()) == written.count("\n") == 2
    assert "\x1b" not in written
    assert "\u202eevil" not in written.split("nested")[0]
    assert "\\\\u202eevil" in written if style == "json" else "\\u202eevil" in written


def test_a_line_names_the_request_that_it_belongs_to(capsys: Capture) -> None:
    configure_logging("info", "json")
    log = structlog.get_logger("any")
    log.info("before")
    token = CURRENT_REQUEST.set("abc-1")
    log.warning("Slow query detected")
    log.info("of another", request_id="xyz")
    CURRENT_REQUEST.reset(token)
    assert [line.get("request_id") for line in lines(capsys)] == [None, "abc-1", "xyz"]
