"""Processes are kept going, and end together."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import psutil
import pytest

from hub.processes.supervisor import Supervisor
from tests.conftest import ROOT
from tests.processes.runs import wait_until

PARENT = """
import time
from hub.processes.supervisor import Supervisor

with Supervisor(lambda *_: None, lambda *_: None) as supervisor:
    # One that does not listen to what it is asked, and one that has a child of its own.
    supervisor.start("deaf", ["/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"])
    supervisor.start("parent", ["/bin/sh", "-c", "sleep 1000 & wait"])
    print("started", flush=True)
    time.sleep(1000)
"""


class Heard:
    """What a supervisor passes on."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.told: list[tuple[str, str]] = []

    def say(self, name: str, line: str) -> None:
        self.said.append((name, line))

    def tell(self, name: str, what: str) -> None:
        self.told.append((name, what))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def supervisor(heard: Heard) -> Iterator[Supervisor]:
    with Supervisor(heard.say, heard.tell) as made:
        yield made


def test_what_a_process_prints_is_passed_on_with_its_name(supervisor: Supervisor, heard: Heard) -> None:
    supervisor.start("speaker", ["/bin/sh", "-c", "echo hello; printf 'caf\\351\\n' >&2; sleep 1000"])

    wait_until(lambda: len(heard.said) == 2)
    assert heard.said == [("speaker", "hello"), ("speaker", "caf\ufffd")]


def test_a_process_that_ends_is_started_again_and_the_others_go_on(supervisor: Supervisor, heard: Heard) -> None:
    steady = supervisor.start("steady", ["sleep", "1000"])
    supervisor.start("tired", ["/bin/sh", "-c", "echo up; exit 3"])

    wait_until(lambda: heard.said.count(("tired", "up")) == 2)
    assert heard.told[0] == ("tired", "ended with status 3; it is started again in 1 s")
    assert steady.process is not None
    assert steady.process.poll() is None


def test_a_process_that_was_killed_is_named_by_what_killed_it(supervisor: Supervisor, heard: Heard) -> None:
    member = supervisor.start("victim", ["sleep", "1000"])
    assert member.process is not None
    member.process.kill()

    wait_until(lambda: bool(heard.told))
    assert heard.told == [("victim", "was ended by SIGKILL; it is started again in 1 s")]


def test_what_others_lean_on_ends_after_them(heard: Heard) -> None:
    goodbye = "trap 'echo bye; exit' TERM; echo up; while :; do sleep 0.05; done"
    with Supervisor(heard.say, heard.tell) as supervisor:
        supervisor.start("queue", ["/bin/sh", "-c", goodbye], leans_on_nothing=True)
        supervisor.start("worker", ["/bin/sh", "-c", goodbye])
        wait_until(lambda: len(heard.said) == 2)

    wait_until(lambda: len(heard.said) == 4)
    assert heard.said[2:] == [("worker", "bye"), ("queue", "bye")]


def test_what_does_not_end_when_asked_is_killed_within_five_seconds(heard: Heard) -> None:
    with Supervisor(heard.say, heard.tell) as supervisor:
        deaf = supervisor.start("deaf", ["/bin/sh", "-c", "trap '' TERM; echo up; while :; do sleep 0.1; done"])
        wait_until(lambda: heard.said == [("deaf", "up")])

    assert deaf.process is not None
    assert deaf.process.returncode == -signal.SIGKILL
    assert heard.told == [("deaf", "did not end in time and was killed")]


def test_nothing_outlives_a_parent_that_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.readline() == "started\n"
    wait_until(lambda: len(psutil.Process(parent.pid).children(recursive=True)) >= 4)
    family = psutil.Process(parent.pid).children(recursive=True)

    parent.kill()
    parent.wait()

    wait_until(lambda: not any(each.is_running() for each in family))


def test_lines_are_passed_on_from_several_threads_without_loss(supervisor: Supervisor, heard: Heard) -> None:
    before = threading.active_count()
    for number in range(4):
        supervisor.start(f"talker {number}", ["/bin/sh", "-c", "seq 500; sleep 1000"])

    assert threading.active_count() == before + 4
    wait_until(lambda: len(heard.said) == 2000)
    assert {name for name, _ in heard.said} == {f"talker {number}" for number in range(4)}
