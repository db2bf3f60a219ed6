"""Where doorbells hang, and whose database it is."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from sqlalchemy import make_url

from steinmetz.clock import FakeClock
from steinmetz.live.doorbell import place as module
from steinmetz.live.doorbell.place import Listing, NoPlaceError, Place, name_of_database


def listener(folder: Path, name: str) -> socket.socket:
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with Place(folder, "x").address(name) as address:
        door.bind(address)
    door.listen()
    return door


def test_one_file_is_one_database_whatever_way_leads_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.db").symlink_to(tmp_path / "a.db")
    found = {
        name_of_database(make_url(url))
        for url in ("sqlite:///a.db", f"sqlite+aiosqlite:///{tmp_path}/a.db", "sqlite:///./link.db")
    }
    assert found == {f"sqlite:{tmp_path.resolve()}/a.db"}


def test_this_machine_has_several_names_and_is_one() -> None:
    found = {
        name_of_database(make_url(f"postgresql+asyncpg://{where}"))
        for where in ("u:p@localhost/erp", "127.0.0.1:5432/erp", "w@/erp", "/erp?host=/tmp/pg", "[::1]/erp")
    }
    assert found == {"postgresql:here:5432/erp"}


@pytest.mark.parametrize(
    "other", ["db.example/erp", "localhost:5433/erp", "localhost/other", "/erp?host=db.example"]
)
def test_another_server_port_or_name_is_another_database(other: str) -> None:
    here = name_of_database(make_url("postgresql://localhost/erp"))
    assert name_of_database(make_url(f"postgresql://{other}")) != here


def test_a_database_in_memory_has_no_neighbours() -> None:
    assert name_of_database(make_url("sqlite://")) is None


def test_the_folder_is_its_owners_and_another_users_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path / "bells", "x")
    place.folder.mkdir(mode=0o755)
    place.prepare()
    assert place.folder.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(os, "geteuid", lambda: place.folder.stat().st_uid + 1)
    with pytest.raises(NoPlaceError, match="another user"):
        place.prepare()
    (tmp_path / "file").touch()
    with pytest.raises(NoPlaceError, match="cannot be made"):
        Place(tmp_path / "file" / "bells", "x").prepare()


def test_a_path_too_long_for_a_socket_is_reached_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path / ("long" * 30) / "bells", "x")
    place.prepare()
    with listener(place.folder, "1-a.sock"):
        line = place.knock("1-a.sock", 1)
        assert line is not None
        line.close()
    monkeypatch.setattr(module, "_HANDLES", tmp_path / "nowhere")
    with pytest.raises(NoPlaceError, match="shorter data folder"), place.address("1-a.sock"):
        pass


def test_the_socket_of_a_dead_process_is_removed_and_nobody_is_there(tmp_path: Path) -> None:
    place = Place(tmp_path, "x")
    listener(tmp_path, "1-a.sock").close()
    assert (tmp_path / "1-a.sock").exists()
    assert place.knock("1-a.sock", 1) is None
    assert not (tmp_path / "1-a.sock").exists()
    assert place.knock("1-a.sock", 1) is None


def test_another_users_server_is_told_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "user_of", lambda line: os.geteuid() + 1)
    with listener(tmp_path, "1-a.sock"), pytest.raises(PermissionError):
        Place(tmp_path, "x").knock("1-a.sock", 1)


def test_a_folder_is_read_again_only_when_it_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0
    list_folder = os.listdir

    def listdir(path: str) -> list[str]:
        nonlocal read
        read += 1
        return list_folder(path)

    monkeypatch.setattr(os, "listdir", listdir)
    clock = FakeClock()
    folder = tmp_path / "bells"
    listing = Listing(folder, clock)
    assert listing.names() == frozenset()
    folder.mkdir()
    for name in ("1-a.sock", ".2-b.sock", "other"):
        (folder / name).touch()
    long_ago_s = clock.now().timestamp() - 60
    os.utime(folder, (long_ago_s, long_ago_s))
    assert [listing.names() for _ in range(3)] == [{"1-a.sock"}] * 3
    assert read == 1
    (folder / "3-c.sock").touch()
    os.utime(folder, (clock.now().timestamp(),) * 2)
    assert listing.names() == {"1-a.sock", "3-c.sock"}
    (folder / "4-d.sock").touch()  # within the same tick of the folder's time stamp
    os.utime(folder, (clock.now().timestamp(),) * 2)
    assert listing.names() == {"1-a.sock", "3-c.sock", "4-d.sock"}
