"""A folder of data is used by one run at a time, and what is wrong with it is said at once."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis

from config.settings import LONGEST_SOCKET_PATH, Settings
from hub.processes import data_folder
from hub.processes.data_folder import InUse, Unusable, check_port, only_run_in
from hub.processes.demo_folder import DemoFolder, WrongFolder, refuse_demo_folder
from hub.processes.supervisor import Supervisor
from hub.processes.valkey import NoQueueServer, make_private, start_valkey
from tests.conftest import ROOT

HOLD = (
    "import sys, time; from pathlib import Path; from hub.processes.data_folder import only_run_in\n"
    "with only_run_in(Path(sys.argv[1])): print('held', flush=True); time.sleep(1000)"
)


def test_a_second_run_in_the_same_folder_is_told_which_process_has_it(tmp_path: Path) -> None:
    held = pytest.raises(InUse, match=rf"already \(process {os.getpid()}\)")
    with only_run_in(tmp_path / "var"), held, only_run_in(tmp_path / "var"):
        pass


def test_a_folder_is_free_again_when_its_run_was_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == b"held\n"
    holder.kill()
    holder.wait()

    with only_run_in(tmp_path):
        assert (tmp_path / data_folder.LOCK).read_text() == f"{os.getpid()}\n"


def test_a_new_folder_is_for_this_user_alone(tmp_path: Path) -> None:
    with only_run_in(tmp_path / "var"):
        assert (tmp_path / "var").stat().st_mode & 0o077 == 0


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")

    with pytest.raises(Unusable, match="is not a folder"), only_run_in(tmp_path / "var"):
        pass


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a place where nobody may write, root included")
def test_a_folder_where_nothing_can_be_written_is_named() -> None:
    with pytest.raises(Unusable, match="Nothing can be written to /proc/everyway"), only_run_in(Path("/proc/everyway")):
        pass


def test_a_full_disk_is_said_before_anything_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_folder, "LEAST_ROOM", 2**62)

    with pytest.raises(Unusable, match=r"is full: [\d]+ MB are left"), only_run_in(tmp_path):
        pass


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InUse, match=f"Port {port} is in use by another program"):
            check_port("127.0.0.1", port)


def test_a_port_that_was_in_use_a_moment_ago_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            server.accept()[0].close()  # the side that closes first keeps the port for a minute
            client.recv(1)

    check_port("127.0.0.1", port)


def test_the_demo_does_not_start_among_real_people(tmp_path: Path) -> None:
    (tmp_path / "everyway.sqlite3").write_text("")

    with pytest.raises(WrongFolder, match="must not mix with real people"):
        DemoFolder.open(tmp_path)


def test_the_demo_remembers_passwords_for_this_user_alone(tmp_path: Path) -> None:
    folder = DemoFolder.open(tmp_path)
    folder.passwords["ann@everyway.example"] = "abcd-efgh"
    folder.save()
    (tmp_path / "everyway.sqlite3").write_text("")

    assert DemoFolder.open(tmp_path) == folder
    assert (tmp_path / "demo.json").stat().st_mode & 0o077 == 0


def test_a_damaged_memory_of_the_demo_is_said(tmp_path: Path) -> None:
    (tmp_path / "demo.json").write_text("{")

    with pytest.raises(WrongFolder, match="is damaged"):
        DemoFolder.open(tmp_path)


def test_real_sending_does_not_begin_with_made_up_people(settings_for: Callable[..., Settings], tmp_path: Path) -> None:
    DemoFolder(tmp_path).save()

    with pytest.raises(WrongFolder, match="holds the demo"):
        refuse_demo_folder(settings_for(data_dir=tmp_path, sandbox="0"))


def test_the_queue_servers_socket_is_in_the_data_folder(settings_for: Callable[..., Settings], tmp_path: Path) -> None:
    assert settings_for(data_dir=tmp_path).valkey_socket == tmp_path / "valkey.sock"


def test_a_deep_data_folder_has_a_queue_server_too(settings_for: Callable[..., Settings], tmp_path: Path) -> None:
    deep = tmp_path / ("deep-" * 15) / ("down-" * 15)
    deep.mkdir(parents=True)
    chosen = settings_for(data_dir=deep)
    assert len(os.fsencode(chosen.valkey_socket)) <= LONGEST_SOCKET_PATH

    with Supervisor(lambda *_: None, lambda *_: None) as supervisor:
        start_valkey(supervisor, chosen)
        with Redis(unix_socket_path=str(chosen.valkey_socket)) as client:
            assert client.ping()
            assert client.config_get("save")["save"] == ""
        assert chosen.valkey_socket.parent.stat().st_mode & 0o077 == 0
    chosen.valkey_socket.parent.rmdir()


def test_a_socket_folder_that_others_can_open_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").mkdir(mode=0o755)

    with pytest.raises(NoQueueServer, match="is not this user's alone"):
        make_private(tmp_path / "short", tmp_path / "var")
