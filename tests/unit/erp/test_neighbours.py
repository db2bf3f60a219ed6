from __future__ import annotations

from typing import Any

import pytest

from steinmetz.erp.kit.announcements import Announcement, Departure, Expulsion, Publication, as_json
from steinmetz.erp.neighbours import everywhere, heard, place_of
from steinmetz.erp.settings import load_settings

PUBLICATIONS: list[Publication] = [
    Announcement("catalog:update", {"function": {"id": "a"}}, ("role:clerk",)),
    Announcement("system:maintenance", {"enabled": True}),
    Expulsion("user:5"),
    Departure("user:5", "chat-room:x"),
]


def test_what_is_published_here_is_published_there() -> None:
    here: list[Publication] = []
    there: list[Publication] = []
    publish = everywhere(here.append, heard(there.append))
    for publication in PUBLICATIONS:
        publish(publication)
    assert here == there == PUBLICATIONS


@pytest.mark.parametrize(
    "told",
    [
        None,
        {},
        {"say": "expulsion"},
        {"say": "expulsion", "room": 5},
        {**as_json(PUBLICATIONS[0]), "rooms": [5]},
        {**as_json(PUBLICATIONS[0]), "payload": "x"},
    ],
)
def test_what_is_not_understood_is_not_said(told: Any) -> None:
    there: list[Publication] = []
    heard(there.append)(told)
    assert there == []


def test_the_processes_of_one_installation_meet_in_its_data_folder(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for url in ("sqlite:///data/steinmetz.db", None):
        place = place_of(load_settings(data_dir="data", database_url=url))
        assert place is not None
        assert place.folder == tmp_path / "data" / "doorbells"
        assert place.database == f"sqlite:{tmp_path.resolve()}/data/steinmetz.db"
